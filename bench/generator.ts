import type { Load } from './load.js'
import { RING_ARGUMENTS } from './ring-arguments.js'
import type { Setup } from './setup.js'
import { START_MS } from './setup.js'
import { Testpmd } from './testpmd.js'
import type { SeenFrame } from './testpmd-output.js'

/** Descriptors of each virtqueue. */
const QUEUE_SIZE = 1024

/** Bursts of 32 frames that each port starts with, over all its queues: as many frames as one of them holds. */
const BURSTS = QUEUE_SIZE / 32

/** What goes round has come back after this time; and the answers of testpmd, a line a frame, too. */
const TAKE_MS = 100

/** Addresses of the two guests. */
export const GUEST_MACS = ['02:00:00:00:00:0a', '02:00:00:00:00:0b'] as const

/**
 * The load: dpdk-testpmd as two guests, which sends what it gets at one port out of the other, as
 * fast as it can, for ever the same frames.
 *
 * A frame that guest A sends has A's address as source and B's as destination. The switch hands it
 * to B, from where it returns *through the generator* to A's port and is sent again: so every
 * frame enters the switch at the port of its source address each time, and a learning switch learns
 * each address once and never sees it move.
 */
export class Generator implements Load {
  readonly #testpmd: Testpmd

  readonly #bursts: number

  constructor({ ring, frameBytes, sockets, folder, cpus, memory, queuePairs = 1 }: Setup) {
    this.#bursts = Math.floor(BURSTS / queuePairs)
    const vdev = (i: 0 | 1) =>
      `net_virtio_user${i},path=${sockets[i]},server=1,queues=${queuePairs},queue_size=${QUEUE_SIZE},mac=${GUEST_MACS[i]}` +
      RING_ARGUMENTS[ring]
    this.#testpmd = new Testpmd({
      name: 'generator',
      cpu: cpus.generator,
      otherCpus: cpus.others,
      memory: memory.ealArgs,
      vdevs: [vdev(0), vdev(1)],
      args: [
        ...[`--rxd=${QUEUE_SIZE}`, `--txd=${QUEUE_SIZE}`, `--txfreet=${QUEUE_SIZE - 32}`],
        `--txpkts=${frameBytes}`,
        ...[`--eth-peer=0,${GUEST_MACS[1]}`, `--eth-peer=1,${GUEST_MACS[0]}`],
      ],
      folder,
      frameBytes,
      queuePairs,
    })
  }

  get pid(): number {
    return this.#testpmd.process.pid
  }

  get failed(): Promise<never> {
    return this.#testpmd.process.failed
  }

  /** Resolves once a switch is connected to both ports. */
  started(): Promise<void> {
    return this.#testpmd.started(START_MS)
  }

  /** Puts the frames on their way. */
  async begin(): Promise<void> {
    await this.#testpmd.command(`start tx_first ${this.#bursts}`)
    await this.rate()
  }

  /** Frames a second that came back from the switch, both directions together, since it was last asked. */
  async rate(): Promise<number> {
    return (await this.#testpmd.portStats()).rxPerSecond
  }

  async countCycles(): Promise<void> {
    await this.#testpmd.countCycles()
  }

  /** Cycles of polls that found frames, for each of the frames, since {@link countCycles}. */
  async cyclesPerFrame(): Promise<number> {
    const { busyCycles, rxFrames } = await this.#testpmd.forwarded()
    return rxFrames === 0 ? 0 : busyCycles / rxFrames
  }

  takeFrames(): Promise<SeenFrame[]> {
    return this.#testpmd.takeFrames(TAKE_MS)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#testpmd[Symbol.asyncDispose]()
  }
}
