import type { RunningSwitch, Work } from './contender.js'
import { type Setup, START_MS } from './setup.js'
import { Testpmd } from './testpmd.js'

/** dpdk-testpmd between two vhost-user sockets: what comes in at one goes out at the other. */
export class TestpmdSwitch implements RunningSwitch {
  readonly #testpmd: Testpmd

  constructor({ burst, sockets, folder, cpus, memory }: Setup) {
    this.#testpmd = new Testpmd({
      name: 'testpmd-io',
      cpu: cpus.switch,
      otherCpus: cpus.others,
      memory: memory.ealArgs,
      vdevs: [`net_vhost0,iface=${sockets[0]},client=1`, `net_vhost1,iface=${sockets[1]},client=1`],
      args: ['--auto-start', `--burst=${burst}`],
      folder,
    })
  }

  get pid(): number {
    return this.#testpmd.process.pid
  }

  get failed(): Promise<never> {
    return this.#testpmd.process.failed
  }

  started(): Promise<void> {
    return this.#testpmd.started(START_MS)
  }

  async begin(): Promise<void> {}

  countCycles(): Promise<void> {
    return this.#testpmd.countCycles()
  }

  async work(): Promise<Work> {
    const { rxFrames, busyCycles, txDropped, tscMHz } = await this.#testpmd.forwarded()
    return {
      frames: rxFrames,
      busyCycles,
      cyclesPerSecond: tscMHz * 1e6,
      dropped: txDropped,
      burst: undefined,
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#testpmd[Symbol.asyncDispose]()
  }
}
