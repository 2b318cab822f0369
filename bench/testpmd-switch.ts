import type { RunningSwitch, Work } from './contender.js'
import { expectSwapped, expectToGuest, GUEST_MACS } from './frames.js'
import { type Setup, START_MS } from './setup.js'
import { type ForwardMode, Testpmd } from './testpmd.js'
import type { SeenFrame } from './testpmd-output.js'

/** Addresses that `net_vhost` gives its ports: `VHOST` and a number. */
const PORT_MACS = ['56:48:4f:53:54:00', '56:48:4f:53:54:01'] as const

/** dpdk-testpmd between two vhost-user sockets: what comes in at one goes out at the other. */
export class TestpmdSwitch implements RunningSwitch {
  readonly #testpmd: Testpmd

  readonly #forward: ForwardMode

  constructor(
    { burst, frameBytes, sockets, folder, cpus, memory, queuePairs = 1 }: Setup,
    forward: ForwardMode = 'io',
  ) {
    this.#forward = forward
    const vdev = (i: 0 | 1) => `net_vhost${i},iface=${sockets[i]},client=1,queues=${queuePairs}`
    this.#testpmd = new Testpmd({
      name: `testpmd-${forward}`,
      cpu: cpus.switch,
      otherCpus: cpus.others,
      memory: memory.ealArgs,
      vdevs: [vdev(0), vdev(1)],
      forward,
      frameBytes,
      queuePairs,
      args: [
        ...['--auto-start', `--burst=${burst}`],
        ...GUEST_MACS.map((mac, i) => `--eth-peer=${i},${mac}`),
      ],
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

  check(frames: readonly SeenFrame[]): void {
    if (this.#forward === '5tswap') expectSwapped(frames)
    else expectToGuest(frames, this.#forward === 'mac' ? PORT_MACS : undefined)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#testpmd[Symbol.asyncDispose]()
  }
}
