import type { RingMemory } from './ring.js'

/** A capture as lcores are told of it: structured clones and shared memory only. */
export interface CaptureImage {
  readonly id: number
  /** Instructions of the filter; undefined: every frame. */
  readonly filter: Uint32Array | undefined
  /** Bytes of each frame that are kept. */
  readonly snaplen: number
  readonly direction: CaptureDirection
  /** Number of each port's interface, by its name. */
  readonly interfaces: ReadonlyMap<string, number>
  /** The lcores' clock as the time of day. */
  readonly clock: SharedArrayBuffer
  /** By the lcore's index. */
  readonly rings: readonly RingMemory[]
}

/** `rx`: frames that a port received, as they came in; `tx`: those that it sends, as they leave. */
export type CaptureDirection = 'rx' | 'tx' | 'both'
