import { compareStamps, type InterfaceCounters, type Stamp } from './pcapng.js'
import { MAX_INTERFACES, type RingMemory, RingReader } from './ring.js'

/** Bytes handed on at once, more than the longest block. */
const CHUNK = 512 * 1024
/** An lcore whose stamps are ahead, because the clock was set back, is waited for no longer than so many looks. */
const LOOKS = 3

/** The blocks of all lcores, in the order of their stamps. */
export class Merger {
  readonly #sources: readonly Source[]
  readonly #delivered = new Float64Array(MAX_INTERFACES)
  #left: number

  /** @param count - blocks to take in all */
  constructor(rings: readonly RingMemory[], count: number) {
    this.#sources = rings.map((ring) => new Source(ring))
    this.#left = count
  }

  /** Whether all that were to be taken have been. */
  get isComplete(): boolean {
    return this.#left === 0
  }

  /** To be called from time to time. */
  look(): void {
    for (const source of this.#sources) source.note()
  }

  /**
   * Takes blocks out of the rings. Undefined: there are none.
   *
   * @param until - leaves younger ones, since another lcore may bring an older one yet
   */
  take(until?: Stamp): Buffer | undefined {
    const full = this.#sources.filter((source) => source.look(until))
    if (full.length === 0 || this.#left === 0) return undefined
    const chunk = Buffer.allocUnsafe(CHUNK)
    let at = 0
    while (this.#left > 0) {
      const source = oldest(full)
      if (source === undefined || at + source.ring.length > CHUNK) break
      const { length, interfaceId } = source.ring
      source.ring.take(chunk, at)
      at += length
      this.#delivered[interfaceId] = (this.#delivered[interfaceId] as number) + 1
      this.#left--
      source.judge(until)
    }
    for (const { ring } of full) ring.release()
    return chunk.subarray(0, at)
  }

  /** Of all lcores. */
  counters(id: number): InterfaceCounters {
    const sum = { received: 0, matched: 0, dropped: 0, delivered: this.#delivered[id] as number }
    for (const { ring } of this.#sources) {
      const [received, matched, dropped] = ring.counters(id)
      sum.received += received
      sum.matched += matched
      sum.dropped += dropped
    }
    return sum
  }
}

/** One ring. */
class Source {
  readonly ring: RingReader
  /** Whether its next block may be taken. */
  isReady = false
  /** Where it ended at the last looks, the oldest first. */
  readonly #ends = new Array<number>(LOOKS).fill(0)

  constructor(ring: RingMemory) {
    this.ring = new RingReader(ring)
  }

  note(): void {
    this.#ends.shift()
    this.#ends.push(this.ring.look())
  }

  look(until: Stamp | undefined): boolean {
    this.ring.look()
    this.judge(until)
    return this.isReady
  }

  judge(until: Stamp | undefined): void {
    const { ring } = this
    this.isReady =
      ring.hasBlock &&
      (until === undefined ||
        compareStamps(ring, until) <= 0 ||
        ring.isBefore(this.#ends[0] as number))
  }
}

function oldest(sources: readonly Source[]): Source | undefined {
  let first: Source | undefined
  for (const source of sources) {
    if (!source.isReady) continue
    if (first === undefined || compareStamps(source.ring, first.ring) < 0) first = source
  }
  return first
}
