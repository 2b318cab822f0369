import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunningSwitch, Work } from '../contender.js'
import type { BenchProcess } from '../process.js'
import type { Setup } from '../setup.js'
import { bridgeName, configuration, sharedPool } from './configuration.js'
import { OvsInstance } from './instance.js'
import { parsePmdStats, parseTxDropped } from './output.js'

/** OVS-DPDK between two sockets, with its defaults. */
export class OvsSwitch implements RunningSwitch {
  readonly #setup: Setup
  readonly #instance: OvsInstance
  readonly #daemon: BenchProcess
  readonly #bridge = bridgeName()
  readonly #rules: readonly string[] | undefined
  #since = 0
  #upcalls = -1
  #droppedBefore = 0

  private constructor(setup: Setup, instance: OvsInstance, rules: readonly string[] | undefined) {
    this.#setup = setup
    this.#instance = instance
    this.#rules = rules
    this.#daemon = instance.startDaemon()
  }

  /** @param rules - in the words of `ovs-ofctl`, with ports 1 and 2; without any it switches by the action NORMAL */
  static async start(setup: Setup, rules?: readonly string[]): Promise<OvsSwitch> {
    const instance = await OvsInstance.create(setup.folder)
    const ports = setup.sockets.map((path, i) => {
      return { name: `vhost${i}`, path, number: i + 1, ...mtuFor(setup.frameBytes) }
    })
    const settings = sharedPool(setup.memory)
    const { switch: cpu } = setup.cpus
    const mode = rules === undefined ? 'standalone' : 'secure'
    try {
      await instance.vsctl('--no-wait', ...configuration(bridgeName(), ports, cpu, settings, mode))
      return new OvsSwitch(setup, instance, rules)
    } catch (error) {
      await instance[Symbol.asyncDispose]()
      throw error
    }
  }

  get pid(): number {
    return this.#daemon.pid
  }

  get failed(): Promise<never> {
    return this.#daemon.failed
  }

  async started(): Promise<void> {
    await this.#instance.ready(this.#bridge)
    if (this.#rules !== undefined) {
      const file = join(this.#setup.folder, 'flows')
      writeFileSync(file, `${this.#rules.join('\n')}\n`)
      await this.#instance.ofctl(this.#bridge, 'add-flows', [file])
    }
    await this.#instance.connected(this.#setup.sockets.length)
  }

  async begin(): Promise<void> {}

  /** Whether it stopped making up flows since it was last asked. */
  async settled(): Promise<boolean> {
    const { frames, upcalls } = parsePmdStats(
      await this.#instance.appctl('dpif-netdev/pmd-stats-show'),
    )
    const before = this.#upcalls
    this.#upcalls = upcalls
    return frames > 0 && upcalls === before
  }

  async countCycles(): Promise<void> {
    this.#droppedBefore = await this.#dropped()
    await this.#instance.appctl('dpif-netdev/pmd-stats-clear')
    this.#since = performance.now()
  }

  async work(): Promise<Work> {
    const stats = parsePmdStats(await this.#instance.appctl('dpif-netdev/pmd-stats-show'))
    const seconds = (performance.now() - this.#since) / 1000
    return {
      frames: stats.frames,
      busyCycles: stats.busyCycles,
      cyclesPerSecond: (stats.busyCycles + stats.idleCycles) / seconds,
      dropped: (await this.#dropped()) - this.#droppedBefore,
      burst: undefined,
      upcalls: stats.frames === 0 ? 0 : stats.upcalls / stats.frames,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]()
    await this.#instance[Symbol.asyncDispose]()
  }

  async #dropped(): Promise<number> {
    return parseTxDropped(await this.#instance.appctl('dpctl/show', '-s', 'netdev@ovs-netdev'))
  }
}

/** Its default is 1500. */
function mtuFor(frameBytes: number): { mtu?: number } {
  return frameBytes > 1514 ? { mtu: frameBytes - 14 } : {}
}
