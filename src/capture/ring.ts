/**
 * The ring by which one lcore hands the frames of one capture to the thread that reads it. What lies in it are blocks of
 * pcapng as they are streamed:
 *
 * ```
 *  | head (reader) | tail (lcore) | counters of each interface | data: blocks, one after the other |
 * ```
 *
 * Positions count bytes and wrap at 2^32. A block does not wrap: where it would, a word of 0 sends the reader to the start.
 * When there is no room the frame is counted and lost to the capture; the lcore never waits.
 *
 * @packageDocumentation
 */
import { BlockType } from './pcapng.js'

/** Bytes of data, a power of two: more than twice the longest block. */
const SIZE = 4 * 1024 * 1024
/** Most interfaces, by names, that a capture can have in its life. */
export const MAX_INTERFACES = 4096

/** Words from the start; a cache line each, since two threads write them. */
const HEAD = 0
const TAIL = 16
/** Places of counters in 64-bit floats, written by the lcore alone. */
const COUNTERS = 16
const Count = { received: 0, matched: 1, dropped: 2 } as const
const COUNTERS_EACH = 4
const DATA = (COUNTERS + MAX_INTERFACES * COUNTERS_EACH) * Float64Array.BYTES_PER_ELEMENT
const DATA_WORDS = DATA / 4

/** Bytes of a block of a packet before, and after, the frame: it ends with epb_flags, the end of options, its length. */
const BEFORE = 28
const AFTER = 16
const FLAGS_OPTION = 2 | (4 << 16)

/** Values of epb_flags. */
export const Direction = { inbound: 1, outbound: 2 } as const

/** Memory of one ring, a part of what all rings of a capture lie in. */
export type RingMemory = Uint8Array<SharedArrayBuffer>

/**
 * Rings for `count` lcores. Pages that nobody touches take no memory: of all 64 lcores together they are more than the C
 * library ever takes from its heap, where each capture would fill what another left with zeros.
 */
export function newRings(count: number): RingMemory[] {
  const length = DATA + SIZE
  const memory = new SharedArrayBuffer(count * length)
  return Array.from({ length: count }, (_, i) => new Uint8Array(memory, i * length, length))
}

function viewsOf({ buffer, byteOffset, length }: RingMemory) {
  return {
    positions: new Int32Array(buffer, byteOffset, length / 4),
    counters: new Float64Array(buffer, byteOffset, length / 8),
    words: new Uint32Array(buffer, byteOffset, length / 4),
  }
}

/** Packet memory, as frames are copied out of it. */
export interface Packets {
  readonly words: Uint32Array
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** The lcore's end. Allocates nothing. */
export class RingWriter {
  readonly #positions: Int32Array
  readonly #counters: Float64Array
  readonly #words: Uint32Array
  /** Where the reader was when there was last no room. With a sign, as all that is handed around here: no garbage. */
  #head: number
  #tail: number

  /** Goes on where the ring ends: an lcore before may have written to it. */
  constructor(ring: RingMemory) {
    const { positions, counters, words } = viewsOf(ring)
    this.#positions = positions
    this.#counters = counters
    this.#words = words
    this.#head = Atomics.load(this.#positions, HEAD)
    this.#tail = Atomics.load(this.#positions, TAIL)
  }

  /** Counts a frame of an interface, wanted or not. */
  countReceived(id: number): void {
    const at = COUNTERS + id * COUNTERS_EACH + Count.received
    this.#counters[at] = (this.#counters[at] as number) + 1
  }

  /** Adds a frame that is wanted, or counts it as lost. The reader sees it after {@link publish}. @param high, low - of its stamp */
  put(
    id: number,
    direction: number,
    high: number,
    low: number,
    packets: Packets,
    offset: number,
    length: number,
    captured: number,
  ): void {
    const counters = this.#counters
    const counter = COUNTERS + id * COUNTERS_EACH
    counters[counter + Count.matched] = (counters[counter + Count.matched] as number) + 1
    const padded = (captured + 3) & ~3
    const total = BEFORE + padded + AFTER
    const at = this.#reserve(total)
    if (at < 0) {
      counters[counter + Count.dropped] = (counters[counter + Count.dropped] as number) + 1
      return
    }
    const words = this.#words
    words[at] = BlockType.enhancedPacket
    words[at + 1] = total
    words[at + 2] = id
    words[at + 3] = high
    words[at + 4] = low
    words[at + 5] = captured
    words[at + 6] = length
    copy(packets, offset, captured, words, at + BEFORE / 4)
    const end = at + (BEFORE + padded) / 4
    words[end] = FLAGS_OPTION
    words[end + 1] = direction
    words[end + 2] = 0
    words[end + 3] = total
  }

  /** Shows the reader what was put. */
  publish(): void {
    Atomics.store(this.#positions, TAIL, this.#tail)
  }

  /** Index of the first of `bytes` bytes that lie together, in words; -1: no room. */
  #reserve(bytes: number): number {
    const place = this.#tail & (SIZE - 1)
    const skipped = place + bytes > SIZE ? SIZE - place : 0
    const needed = bytes + skipped
    if (SIZE - ((this.#tail - this.#head) >>> 0) < needed) {
      this.#head = Atomics.load(this.#positions, HEAD)
      if (SIZE - ((this.#tail - this.#head) >>> 0) < needed) return -1
    }
    if (skipped > 0) this.#words[DATA_WORDS + place / 4] = 0
    this.#tail = (this.#tail + needed) | 0
    return DATA_WORDS + (skipped > 0 ? 0 : place / 4)
  }
}

/** By whole words, the last filled up with zeros. `set` of a view would allocate the view. */
function copy(
  { words, bytes, view }: Packets,
  offset: number,
  length: number,
  to: Uint32Array,
  at: number,
): void {
  const whole = length >>> 2
  if ((offset & 3) === 0) {
    let from = offset >>> 2
    let into = at
    // Eight at a time: of long frames the loop was most of the cost.
    for (const end = into + (whole & ~7); into < end; into += 8, from += 8) {
      to[into] = words[from] as number
      to[into + 1] = words[from + 1] as number
      to[into + 2] = words[from + 2] as number
      to[into + 3] = words[from + 3] as number
      to[into + 4] = words[from + 4] as number
      to[into + 5] = words[from + 5] as number
      to[into + 6] = words[from + 6] as number
      to[into + 7] = words[from + 7] as number
    }
    for (const end = at + whole; into < end; into++, from++) to[into] = words[from] as number
  } else {
    for (let i = 0; i < whole; i++) to[at + i] = view.getUint32(offset + 4 * i, true)
  }
  if ((length & 3) === 0) return
  let last = 0
  for (let i = length - 1; i >= 4 * whole; i--) last = (last << 8) | (bytes[offset + i] as number)
  to[at + whole] = last
}

/** The reader's end. */
export class RingReader {
  readonly #positions: Int32Array
  readonly #counters: Float64Array
  readonly #words: Uint32Array
  readonly #bytes: Uint8Array
  #head = 0
  #tail = 0

  constructor(ring: RingMemory) {
    const { positions, counters, words } = viewsOf(ring)
    this.#positions = positions
    this.#counters = counters
    this.#words = words
    this.#bytes = ring
  }

  /** Looks how far the lcore has come. Returns that position. */
  look(): number {
    this.#tail = Atomics.load(this.#positions, TAIL) >>> 0
    this.#skip()
    return this.#tail
  }

  /** Whether there is a block left of what `look` saw. */
  get hasBlock(): boolean {
    return this.#head !== this.#tail
  }

  /** Of the next block: its stamp, interface and bytes. */
  get high(): number {
    return this.#word(3)
  }

  get low(): number {
    return this.#word(4)
  }

  get interfaceId(): number {
    return this.#word(2)
  }

  get length(): number {
    return this.#word(1)
  }

  /** Whether the next block was there when the lcore had come as far as `position`. */
  isBefore(position: number): boolean {
    return ((position - this.#head) | 0) > 0
  }

  /** Copies the next block, and goes on to the one after it. */
  take(to: Uint8Array, at: number): void {
    const { length } = this
    const from = DATA + (this.#head & (SIZE - 1))
    to.set(this.#bytes.subarray(from, from + length), at)
    this.#head = (this.#head + length) >>> 0
    this.#skip()
  }

  /** Leaves the room of what was taken to the lcore. */
  release(): void {
    Atomics.store(this.#positions, HEAD, this.#head | 0)
  }

  /** Counters of an interface, in the order received, matched, dropped. */
  counters(id: number): [received: number, matched: number, dropped: number] {
    const at = COUNTERS + id * COUNTERS_EACH
    const count = (which: number) => this.#counters[at + which] as number
    return [count(Count.received), count(Count.matched), count(Count.dropped)]
  }

  #word(index: number): number {
    return this.#words[DATA_WORDS + (this.#head & (SIZE - 1)) / 4 + index] as number
  }

  #skip(): void {
    if (this.hasBlock && this.#word(0) === 0) {
      this.#head = (this.#head + SIZE - (this.#head & (SIZE - 1))) >>> 0
    }
  }
}
