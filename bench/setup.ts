import type { Network } from './kernel/network.js'
import type { LoadName } from './load.js'
import type { Memory } from './memory.js'

/** Layouts of the virtqueues that can be measured. */
export const RINGS = ['split', 'packed', 'packed-inorder'] as const
export type Ring = (typeof RINGS)[number]

/** Descriptors of a guest's virtqueue as QEMU makes it unless told otherwise. */
export const QEMU_QUEUE_SIZE = 256

/** Everything the two sides of a measurement have to agree on. */
export interface Setup {
  readonly ring: Ring
  readonly frameBytes: number
  /** Most frames the switch takes in one burst. */
  readonly burst: number
  /** Sockets of the two guests; the generator listens on them. */
  readonly sockets: readonly [string, string]
  /** Folder of this measurement, removed after it. */
  readonly folder: string
  readonly cpus: Cpus
  readonly memory: Memory
  /** What the guests send. Default: what the contender is for. */
  readonly load?: LoadName
  /** How long frames flow before anything is measured. Default: what the load needs. */
  readonly warmUpMs?: number
  /** Where the kernel is between the guests. */
  readonly network?: Network
  /** Queue pairs of each guest. Default 1. */
  readonly queuePairs?: number
  /** CPUs of the switch's lcores, where it has several. Default: that of the switch alone. */
  readonly lcoreCpus?: readonly number[]
}

/** Who runs where. */
export interface Cpus {
  /** CPU of the switch's polling thread. */
  readonly switch: number
  /** CPU of the generator's polling thread. */
  readonly generator: number
  /** CPUs of all threads that do not poll, as a list such as `0-3,8`. */
  readonly others: string
}

/** Time a side may take until its ports are up. */
export const START_MS = 20_000
