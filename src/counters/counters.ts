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

/** What the peer of a vhost-user port did. */
export interface PeerCounters {
  /** Times it held up the thread that serves all peers. */
  readonly stalls: number
  /** Times it was held down for flapping. */
  readonly flaps: number
  /** Times memory that it shares was gone. */
  readonly memoryFaults: number
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
  readonly peer: PeerCounters
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
  /**
   * Further receivers of frames, as of floods. What is received, made and copied is what is sent and dropped: the sums over
   * all ports and lcores are the same.
   */
  readonly framesCopied: number
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

type Read<T> = (at: number, stride: number, queues: number) => T

/** Where each counter of a queue lies. */
function placesOf<T>(names: readonly string[]): Readonly<Record<keyof T, number>> {
  return Object.fromEntries(names.map((name, i) => [name, i])) as Record<keyof T, number>
}

/** Sum of one counter over queues. */
function sum(at: number, stride: number, queues: number): number {
  let total = 0
  for (let i = 0; i < queues; i++) total += block[at + i * stride] as number
  return total
}

const ofRx = placesOf<RxCounters>(layout.rxNames)
const ofTx = placesOf<TxCounters>(layout.txNames)
const ofPeer = placesOf<PeerCounters>(layout.peerNames)

// As literals, since objects that are filled by name take several times as long: a scrape makes very many.
const readRx: Read<RxCounters> = (at, stride, queues) => ({
  frames: sum(at + ofRx.frames, stride, queues),
  bytes: sum(at + ofRx.bytes, stride, queues),
  droppedByProgram: sum(at + ofRx.droppedByProgram, stride, queues),
  droppedBadVerdict: sum(at + ofRx.droppedBadVerdict, stride, queues),
  droppedBadOffset: sum(at + ofRx.droppedBadOffset, stride, queues),
  droppedNoSuchPort: sum(at + ofRx.droppedNoSuchPort, stride, queues),
  droppedProgramError: sum(at + ofRx.droppedProgramError, stride, queues),
  droppedOversize: sum(at + ofRx.droppedOversize, stride, queues),
})

const readTx: Read<TxCounters> = (at, stride, queues) => ({
  frames: sum(at + ofTx.frames, stride, queues),
  bytes: sum(at + ofTx.bytes, stride, queues),
  droppedRingFull: sum(at + ofTx.droppedRingFull, stride, queues),
  droppedNotConnected: sum(at + ofTx.droppedNotConnected, stride, queues),
  droppedOversize: sum(at + ofTx.droppedOversize, stride, queues),
  retries: sum(at + ofTx.retries, stride, queues),
  calls: sum(at + ofTx.calls, stride, queues),
  droppedShaperFull: sum(at + ofTx.droppedShaperFull, stride, queues),
})

const readPeer = (at: number): PeerCounters => ({
  stalls: block[at + ofPeer.stalls] as number,
  flaps: block[at + ofPeer.flaps] as number,
  memoryFaults: block[at + ofPeer.memoryFaults] as number,
})

/** Each queue up to the last that was ever used. */
function queuesOf<T>(reader: Read<T>, names: readonly string[], at: number, stride: number): T[] {
  let count = layout.maxQueuePairs
  while (count > 0 && !isUsed(names.length, at + (count - 1) * stride)) count--
  const queues: T[] = []
  for (let queue = 0; queue < count; queue++) queues.push(reader(at + queue * stride, stride, 1))
  return queues
}

function isUsed(length: number, at: number): boolean {
  for (let i = 0; i < length; i++) if (block[at + i] !== 0) return true
  return false
}

/** Reads the counters of the port with that id, without a call into the addon. */
export function readPortCounters(id: number): PortCounters {
  const at = id * layout.portStride
  const { rxNames, txNames, rxStride, txStride, tx, shaper, peer } = layout
  const rxQueues = queuesOf(readRx, rxNames, at, rxStride)
  const txQueues = queuesOf(readTx, txNames, at + tx, txStride)
  return {
    rx: readRx(at, rxStride, rxQueues.length),
    tx: readTx(at + tx, txStride, txQueues.length),
    rxQueues,
    txQueues,
    shaperQueue: {
      frames: block[at + shaper] as number,
      bytes: block[at + shaper + 1] as number,
    },
    peer: readPeer(at + peer),
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
    made: readRx(at + layout.made, 0, 1),
  }
}
