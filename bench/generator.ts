import type { Load } from './load.js'
import { RING_ARGUMENTS } from './ring-arguments.js'
import type { Setup } from './setup.js'
import { START_MS } from './setup.js'
import { Testpmd } from './testpmd.js'

/** Descriptors of each virtqueue. */
const QUEUE_SIZE = 1024

/** Bursts of 32 frames that each port starts with: as many frames as its queue holds. */
const BURSTS = QUEUE_SIZE / 32

/** Addresses of the guests. */
export const MACS = ['02:00:00:00:00:0a', '02:00:00:00:00:0b'] as const

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

  constructor({ ring, frameBytes, sockets, folder, cpus, memory }: Setup) {
    const vdev = (i: 0 | 1) =>
      `net_virtio_user${i},path=${sockets[i]},server=1,queue_size=${QUEUE_SIZE},mac=${MACS[i]}` +
      RING_ARGUMENTS[ring]
    this.#testpmd = new Testpmd({
      name: 'generator',
      cpu: cpus.generator,
      otherCpus: cpus.others,
      memory: memory.ealArgs,
      vdevs: [vdev(0), vdev(1)],
      args: [
        ...[
          `--rxd=${QUEUE_SIZE}`,
          `--txd=${QUEUE_SIZE}`,
          `--txpkts=${frameBytes}`,
          `--txfreet=${QUEUE_SIZE - 32}`,
        ],
        ...[`--eth-peer=0,${MACS[1]}`, `--eth-peer=1,${MACS[0]}`],
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

  /** Resolves once a switch is connected to both ports. */
  started(): Promise<void> {
    return this.#testpmd.started(START_MS)
  }

  /** Puts the frames on their way. */
  async begin(): Promise<void> {
    await this.#testpmd.command(`start tx_first ${BURSTS}`)
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

  [Symbol.asyncDispose](): Promise<void> {
    return this.#testpmd[Symbol.asyncDispose]()
  }
}
