import * as z from 'zod'

/** A meter: how much may pass. What is more is dropped. */
export interface FlowMeter {
  /** Number that rules name it by, 1 to 65535. */
  readonly id: number
  /** `kbps`: thousands of bits a second; `pktps`: frames a second. Default `kbps`. */
  readonly unit?: 'kbps' | 'pktps' | undefined
  /** How much of them in the long run. */
  readonly rate: number
  /** How much at once: thousands of bits, or frames. Default as much as in one second. */
  readonly burst_size?: number | undefined
}

/** One meter. */
export const meterSchema = z.strictObject({
  id: z.int().min(1).max(65535),
  unit: z.enum(['kbps', 'pktps']).default('kbps'),
  rate: z
    .int()
    .min(1)
    .max(2 ** 32 - 1),
  burst_size: z
    .int()
    .min(1)
    .max(2 ** 32 - 1)
    .optional(),
})

/** All meters of a flow table. */
export const metersSchema = z
  .array(meterSchema)
  .default([])
  .superRefine((meters, ctx) => {
    const seen = new Set<number>()
    meters.forEach(({ id }, i) => {
      if (!seen.has(id)) {
        seen.add(id)
        return
      }
      const params = { fix: 'give each meter an id of its own' }
      ctx.addIssue({ code: 'custom', path: [i, 'id'], message: 'is there already', params })
    })
  })

type CheckedMeter = z.output<typeof meterSchema>

/** A meter and its bucket, which all lcores take from. */
export interface SharedMeter {
  readonly meter: CheckedMeter
  readonly bucket: SharedArrayBuffer
}

/** Bytes of a bucket: two cache lines, as some processors fetch them in pairs. */
const BUCKET = 128

/** Words of a bucket: the time at which it was empty, and the second in which it was last looked after (0: never). */
const EMPTY_AT = 0
const SECOND = 1

/** Units of time in a millisecond at most. What remains of one when a frame is paid for is kept for the next. */
const FINEST = 250_000

/** Units until a bucket is full at most, so that a word of time is clear without doubt for three times as long. */
const LONGEST = 2 ** 29

/** Buckets for meters; a meter that is as it was keeps its own, the others start full. */
export function shareMeters(
  meters: readonly CheckedMeter[],
  before: readonly SharedMeter[] = [],
): SharedMeter[] {
  const known = new Map(before.map((one) => [one.meter.id, one]))
  return meters.map((meter) => {
    const same = known.get(meter.id)
    if (
      same?.meter.unit === meter.unit &&
      same.meter.rate === meter.rate &&
      same.meter.burst_size === meter.burst_size
    )
      return same
    return { meter, bucket: new SharedArrayBuffer(BUCKET) }
  })
}

/**
 * Token buckets as one lcore takes from them. A meter that does not exist lets nothing pass, as in OpenFlow, where a
 * rule cannot name it.
 *
 * A bucket that fills at an even rate is known by the moment at which it was, or would have been, empty: what it holds is
 * the time since then. That is one word, so that a frame is paid for by one compare-and-exchange whichever lcores do so at
 * the same time; nobody waits, and an lcore that dies leaves nothing behind. (The virtual scheduling form of the leaky
 * bucket, ITU-T I.371 annex A, with time in units of the meter.)
 */
export class Meters {
  #alone = false
  #shared: readonly SharedMeter[] = []
  /** By id; so are the others. */
  #words: (Int32Array | undefined)[] = []
  #perMs = new Float64Array(0)
  /** Units that a bit or a frame costs. */
  #price = new Float64Array(0)
  /** Units of a full bucket. */
  #most = new Float64Array(0)
  /** Parts of a unit that this lcore has not paid for yet. */
  #rest = new Float64Array(0)
  #countsBytes = new Uint8Array(0)
  #now = 0
  #second = -1

  constructor(shared: readonly SharedMeter[]) {
    this.set(shared)
  }

  /** Puts meters in place of all. */
  set(shared: readonly SharedMeter[]): void {
    const ids = 1 + Math.max(0, ...shared.map(({ meter }) => meter.id))
    this.#shared = shared
    this.#words = Array.from({ length: ids })
    this.#perMs = new Float64Array(ids)
    this.#price = new Float64Array(ids)
    this.#most = new Float64Array(ids)
    this.#rest = new Float64Array(ids)
    this.#countsBytes = new Uint8Array(ids)
    for (const { meter, bucket } of shared) {
      const { id, unit, rate, burst_size = rate } = meter
      const perMs = Math.min(FINEST, LONGEST / ((1000 * burst_size) / rate))
      this.#words[id] = new Int32Array(bucket)
      this.#perMs[id] = perMs
      this.#price[id] = (1000 * perMs) / (unit === 'kbps' ? 1000 * rate : rate)
      this.#most[id] = Math.max(1, Math.round((perMs * 1000 * burst_size) / rate))
      this.#countsBytes[id] = unit === 'kbps' ? 1 : 0
    }
    this.#second = -1
  }

  /**
   * To be called once a burst.
   *
   * @param now - milliseconds on the clock of all lcores
   * @param alone - no other lcore takes from these meters
   */
  tick(now: number, alone: boolean): void {
    this.#now = now
    this.#alone = alone
    const second = Math.floor(now / 1000) + 1
    if (second === this.#second) return
    this.#second = second
    for (const { meter } of this.#shared) this.#lookAfter(meter.id, second)
  }

  /** Whether a frame of `bytes` may pass; if so, it has. */
  pass(id: number, bytes: number): boolean {
    const words = id < this.#words.length ? this.#words[id] : undefined
    if (words === undefined) return false
    const now = (this.#now * (this.#perMs[id] as number)) | 0
    const most = this.#most[id] as number
    const amount = this.#countsBytes[id] === 1 ? bytes * 8 : 1
    const price = amount * (this.#price[id] as number) + (this.#rest[id] as number)
    const units = Math.floor(price)
    for (;;) {
      const emptyAt = words[EMPTY_AT] as number
      let level = (now - emptyAt) | 0
      if (level > most) level = most
      if (level < units) return false
      const after = (now - level + units) | 0
      if (this.#alone) {
        words[EMPTY_AT] = after
        break
      }
      if (Atomics.compareExchange(words, EMPTY_AT, emptyAt, after) === emptyAt) break
    }
    this.#rest[id] = price - units
    return true
  }

  /**
   * Sees, for all lcores once a second, that the moment of a bucket that nobody used does not fall out of what a word can
   * tell. The moment comes before the second: who finds the second done finds the moment right, and if two lcores do this
   * at once the exchange of the later one fails.
   */
  #lookAfter(id: number, second: number): void {
    const words = this.#words[id] as Int32Array
    const emptyAt = Atomics.load(words, EMPTY_AT)
    const before = Atomics.load(words, SECOND)
    if (second <= before) return
    const perMs = this.#perMs[id] as number
    const most = this.#most[id] as number
    const now = (this.#now * perMs) | 0
    const clearFor = (2 ** 31 - most) / (1000 * perMs) - 2
    if (before === 0 || second - before > clearFor || ((now - emptyAt) | 0) > most)
      Atomics.compareExchange(words, EMPTY_AT, emptyAt, (now - most) | 0)
    Atomics.compareExchange(words, SECOND, before, second)
  }
}
