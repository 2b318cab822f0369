import type { LcoreCounters } from '../../src/counters/counters.js'
import type { RunningSwitch, Work } from '../contender.js'
import { otherSockets } from '../ports/contender.js'
import { IdleGuests } from '../ports/guests.js'
import type { Setup } from '../setup.js'
import { VswitchProcess } from '../vswitch/process.js'
import { deniedRules } from '../vswitch/roles.js'

const RULES = 100

/**
 * `vswitch run` with that many ports, all with guests: the two of the setup, and others that are connected and send nothing. All
 * of it but its lcore is on the CPU of the load, as an lcore has a CPU of its own where it matters.
 */
export class ScrapedSwitch extends VswitchProcess implements RunningSwitch {
  readonly #guests: IdleGuests

  constructor(setup: Setup, ports: number) {
    const { burst, sockets, cpus, memory, folder } = setup
    const others = otherSockets(folder, ports - sockets.length)
    const config = {
      datapath: { memory: memory.kind, memoryMiB: memory.mib },
      lcores: [{ name: 'lcore0', cpu: cpus.switch, burst, idle: 'spin' }],
      bridges: [{ name: 'br0', flows: deniedRules(RULES) }],
      ports: [...sockets, ...others].map((path, i) => ({
        name: `vhost${i}`,
        type: 'dpdkvhostuserclient',
        path,
      })),
    }
    super(setup, config, { cpu: cpus.generator })
    this.#guests = new IdleGuests(others, folder)
  }

  override async started(): Promise<void> {
    await this.#guests.started
    await super.started()
  }

  async begin(): Promise<void> {}

  /** Ports with a guest that is there. */
  async ready(): Promise<number> {
    return (await this.client.ports()).filter(({ state }) => state === 'ready').length
  }

  async lcore(): Promise<LcoreCounters> {
    const [lcore] = await this.client.lcores()
    if (lcore === undefined) throw new Error('the lcore of vswitch has ended')
    return lcore.counters
  }

  async countCycles(): Promise<void> {}

  work(): Promise<Work> {
    throw new Error('its cycles are counted by slices')
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]()
    await this.#guests[Symbol.asyncDispose]()
  }
}
