import { GUEST_MACS } from './frames.js'
import { GUEST_INTERFACES, type Network } from './kernel/network.js'
import type { Load } from './load.js'
import { RING_ARGUMENTS } from './ring-arguments.js'
import { QEMU_QUEUE_SIZE, type Setup, START_MS } from './setup.js'
import { Testpmd } from './testpmd.js'
import type { SeenFrame } from './testpmd-output.js'

/** The largest that QEMU can make. */
const LARGEST_SIZE = 1024

/**
 * Descriptors of each virtqueue: those that QEMU gives a guest, more where bursts are so large that a few of them would fill
 * the queue, or where what goes round is spread over several queues. What goes round in larger ones leaves the caches of both
 * sides, and the guests are slower for it.
 */
function queueSizeOf({ burst, queuePairs = 1 }: Pick<Setup, 'burst' | 'queuePairs'>): number {
  const least = Math.max(4 * burst, QEMU_QUEUE_SIZE * queuePairs)
  return Math.min(LARGEST_SIZE, 2 ** Math.ceil(Math.log2(least)))
}

/**
 * Lets the guests' driver use AVX-512 on packed in-order rings, the only ones it can do that on: it is then faster than the
 * switches. Without such a CPU it does what it does otherwise.
 */
const VECTORS = ['--force-max-simd-bitwidth=512']

/** What the guests are, for reports. */
export function describeGuests(burst: number): string {
  const size = queueSizeOf({ burst })
  return (
    `Load: dpdk-testpmd as two guests with queues of ${size}, so that ${2 * size} frames go round (those with 1,000 rules: see bench/). ` +
    'All their rings have VIRTIO_F_IN_ORDER; split and packed have mergeable buffers, packed-inorder has none, and a vectorised driver where the CPU has AVX-512. Buffers are as long as the frames.'
  )
}

/**
 * Addresses of the kernel's interfaces while frames go round: what is not addressed to them the kernel drops at once, after
 * the guest got it, instead of looking for who wants it.
 */
const KERNEL_MACS = ['02:00:00:00:01:0a', '02:00:00:00:01:0b'] as const

/**
 * Bursts of 32 frames that each port starts with through interfaces of the kernel: it holds back at most 1,000 frames for
 * a CPU (`net.core.netdev_max_backlog`), and drops others.
 */
const KERNEL_BURSTS = 8

/** What goes round has come back after this time; and the answers of testpmd, a line a frame, too. */
const TAKE_MS = 100

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
  readonly #network: Network | undefined

  constructor(setup: Setup) {
    const { frameBytes, folder, cpus, memory, network, queuePairs = 1 } = setup
    const queueSize = queueSizeOf(setup)
    this.#network = network
    // Over all queues as many frames as one of them holds.
    this.#bursts = Math.floor((network === undefined ? queueSize / 32 : KERNEL_BURSTS) / queuePairs)
    this.#testpmd = new Testpmd({
      name: 'generator',
      cpu: cpus.generator,
      otherCpus: cpus.others,
      memory: memory.ealArgs,
      eal: setup.ring === 'packed-inorder' ? VECTORS : [],
      vdevs: network === undefined ? virtioUser(setup) : packetSockets(),
      enter: network?.enter,
      bufferBytes: network === undefined ? bufferBytesFor(frameBytes) : undefined,
      args: [
        ...[`--rxd=${queueSize}`, `--txd=${queueSize}`, `--txfreet=${queueSize - 32}`],
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
    await this.#network?.setAddresses(KERNEL_MACS)
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

/** Network cards of guests, on vhost-user sockets. */
function virtioUser(setup: Setup): [string, string] {
  const { ring, sockets, queuePairs = 1 } = setup
  const vdev = (i: 0 | 1) =>
    `net_virtio_user${i},path=${sockets[i]},server=1,queues=${queuePairs},` +
    `queue_size=${queueSizeOf(setup)},mac=${GUEST_MACS[i]}${RING_ARGUMENTS[ring]}` +
    (ring === 'packed-inorder' ? ',vectorized=1' : '')
  return [vdev(0), vdev(1)]
}

/** What buffers hold besides the frame: virtio's header, FCS and VLAN tags that it might have. */
const BESIDES = 32
const LEAST_BUFFER = 256

/**
 * Bytes of a guest's buffers: as many as its frames need. In ones of 2 KiB each frame is on a page of its own where there are no
 * hugepages, and the same few sets of the first cache hold the beginnings of all: every switch and the guests are slower then.
 */
function bufferBytesFor(frameBytes: number): number {
  return Math.max(LEAST_BUFFER, 64 * Math.ceil((frameBytes + BESIDES) / 64))
}

/** Sockets of AF_PACKET on the kernel's interfaces, with rings that hold all that is under way. */
function packetSockets(): [string, string] {
  const [a, b] = GUEST_INTERFACES
  const vdev = (i: number, name: string) =>
    `net_af_packet${i},iface=${name},blocksz=65536,framesz=2048,framecnt=2048`
  return [vdev(0, a), vdev(1, b)]
}
