import { binding } from '../native/binding.js'

/** What was received on an rx queue, and what became of frames before they reached a port. */
export interface RxCounters {
  readonly frames: number
  readonly bytes: number
  /** The program left the verdict at `DROP`. */
  readonly droppedByProgram: number
  /** The verdict was no port id. */
  readonly droppedBadVerdict: number
  /** Offset or length left the frame's buffer. */
  readonly droppedBadOffset: number
  /** No port has the id of the verdict. */
  readonly droppedNoSuchPort: number
  /** The program threw. */
  readonly droppedProgramError: number
  /** The frame does not fit one buffer, or its descriptors make no sense. Not known of a guest with packed rings. */
  readonly droppedOversize: number
}

/** What was sent by a tx queue, and what was not. */
export interface TxCounters {
  readonly frames: number
  readonly bytes: number
  /** The guest's ring stayed full. */
  readonly droppedRingFull: number
  /** No guest was connected, or it had disabled its queues. */
  readonly droppedNotConnected: number
  /** The frame is longer than the port's MTU allows. */
  readonly droppedOversize: number
  /** Times a full ring was tried again. */
  readonly retries: number
  /** Bursts sent. */
  readonly calls: number
  /** The queue of the port's shaper was full. Counted in queue 0. */
  readonly droppedShaperFull: number
}

/** What waits in the shaper of a port. */
export interface ShaperQueue {
  readonly frames: number
  readonly bytes: number
}

/** Counters of a port: they belong to the port and go on across reconnects. */
export interface PortCounters {
  /** Sums over all rx queues. */
  readonly rx: RxCounters
  /** Sums over all tx queues. */
  readonly tx: TxCounters
  /** Each rx queue, up to the last that was ever used. */
  readonly rxQueues: readonly RxCounters[]
  /** Each tx queue, up to the last that was ever used. */
  readonly txQueues: readonly TxCounters[]
  /** What waits in its shaper now. */
  readonly shaperQueue: ShaperQueue
}

/** Counters of an lcore. */
export interface LcoreCounters {
  /** Frames it received. */
  readonly frames: number
  readonly polls: number
  readonly emptyPolls: number
  /** TSC cycles from a poll that found frames to the next poll: receiving, the program, sending. */
  readonly busyCycles: number
  /** TSC cycles since the lcore started. */
  readonly totalCycles: number
  /** Times it went to sleep. */
  readonly sleeps: number
  /** Frames that programs made. */
  readonly framesMade: number
  /** Frames that programs wanted to make but could not. */
  readonly framesNotMade: number
  /** Bursts by size: 1, 2-3, 4-7, 8-15, 16-31, 32-63, 64-127, 128-255, 256. */
  readonly burstSizes: readonly number[]
  /** What became of frames that programs made, before they reached a port. */
  readonly made: RxCounters
}

const { layout } = binding
const block = new Float64Array(binding.counters())

/** A type with all of its counters, read from `at` on. */
function read<T>(names: readonly string[], at: number): T {
  const result: Record<string, number> = {}
  names.forEach((name, i) => {
    result[name] = block[at + i] as number
  })
  return result as T
}

function sum<T extends object>(parts: readonly T[], zero: T): T {
  const result = { ...zero } as Record<string, number>
  for (const part of parts) {
    for (const [name, value] of Object.entries(part)) result[name] = (result[name] ?? 0) + value
  }
  return result as T
}

function queues<T extends object>(names: readonly string[], at: number, stride: number): T[] {
  let count = layout.maxQueuePairs
  while (count > 0 && !isUsed(names.length, at + (count - 1) * stride)) count--
  return Array.from({ length: count }, (_, queue) => read<T>(names, at + queue * stride))
}

function isUsed(length: number, at: number): boolean {
  for (let i = 0; i < length; i++) if (block[at + i] !== 0) return true
  return false
}

/** Reads the counters of the port with that id, without a call into the addon. */
export function readPortCounters(id: number): PortCounters {
  const at = id * layout.portStride
  const rxQueues = queues<RxCounters>(layout.rxNames, at, layout.rxStride)
  const txQueues = queues<TxCounters>(layout.txNames, at + layout.tx, layout.txStride)
  const zero = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 0]))
  return {
    rx: sum(rxQueues, zero(layout.rxNames) as unknown as RxCounters),
    tx: sum(txQueues, zero(layout.txNames) as unknown as TxCounters),
    rxQueues,
    txQueues,
    shaperQueue: read<ShaperQueue>(['frames', 'bytes'], at + layout.shaper),
  }
}

/** Reads the counters of the lcore with that index, without a call into the addon. */
export function readLcoreCounters(index: number): LcoreCounters {
  const at = layout.lcores + index * layout.lcoreStride
  return {
    ...read<Omit<LcoreCounters, 'burstSizes' | 'made'>>(layout.lcoreNames, at),
    burstSizes: Array.from(
      block.subarray(at + layout.burstSizes, at + layout.burstSizes + layout.histogramBuckets),
    ),
    made: read<RxCounters>(layout.rxNames, at + layout.made),
  }
}
