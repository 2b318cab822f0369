import type { RunningSwitch, Work } from '../contender.js'
import type { Setup } from '../setup.js'
import { VswitchProcess } from '../vswitch/process.js'
import { deniedRules } from '../vswitch/roles.js'
import { ask } from './ask.js'
import type { Collections, GcReply } from './watch.js'

const WATCH = new URL('./watch.js', import.meta.url).href

/** Rules that are in force all the time, before the last that switches. */
const RULES = 100

/**
 * `vswitch run` with a bridge and 100 rules, whose garbage collections can be counted. All of it but its lcore is on the tester's
 * CPU, since an lcore has a CPU of its own where it matters.
 */
export class WatchedSwitch extends VswitchProcess implements RunningSwitch {
  constructor(setup: Setup) {
    const { burst, sockets, cpus, memory } = setup
    const config = {
      datapath: { memory: memory.kind, memoryMiB: memory.mib },
      lcores: [{ name: 'lcore0', cpu: cpus.switch, burst, idle: 'spin' }],
      bridges: [{ name: 'br0', flows: deniedRules(RULES) }],
      ports: sockets.map((path, i) => ({ name: `vhost${i}`, type: 'dpdkvhostuserclient', path })),
    }
    super(setup, config, { nodeOptions: ['--import', WATCH], cpu: cpus.generator, ipc: true })
  }

  async begin(): Promise<void> {}

  /** Garbage collections of each of its isolates since this was asked for the last time. */
  async collections(): Promise<readonly Collections[]> {
    return (await ask<GcReply>(this.process, { kind: 'gc' })).isolates
  }

  async countCycles(): Promise<void> {}

  work(): Promise<Work> {
    throw new Error('its cycles are not counted here')
  }
}
