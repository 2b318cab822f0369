import * as z from 'zod'
import { BucketTime, TokenBucket } from '../../qos/token-bucket.js'

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

/** A meter as one lcore sees it. */
interface View {
  readonly bucket: TokenBucket
  readonly countsBytes: boolean
  isOpen: boolean
}

/**
 * Meters as one lcore takes from them: for each burst `open`, `pass` for each frame, `close`. A meter that does not exist
 * lets nothing pass, as in OpenFlow, where a rule cannot name it.
 */
export class Meters {
  readonly #time = new BucketTime()
  /** By id. */
  #views: (View | undefined)[] = []
  /** Those that this burst has used. */
  readonly #used: View[] = []
  #usedCount = 0

  constructor(shared: readonly SharedMeter[]) {
    this.set(shared)
  }

  /** Puts meters in place of all; between two bursts. */
  set(shared: readonly SharedMeter[]): void {
    this.#views = Array.from({ length: 1 + Math.max(0, ...shared.map(({ meter }) => meter.id)) })
    for (const { meter, bucket } of shared) {
      const { id, unit, rate, burst_size: burst = rate } = meter
      const units = unit === 'kbps' ? 1000 : 1
      this.#views[id] = {
        bucket: new TokenBucket(new Int32Array(bucket), 0, {
          rate: rate * units,
          burst: burst * units,
        }),
        countsBytes: unit === 'kbps',
        isOpen: false,
      }
    }
  }

  /** @param now - milliseconds on the clock of all lcores */
  open(now: number): void {
    this.#time.set(now)
    // A burst that threw leaves them behind.
    this.close()
  }

  /** Whether a frame of `bytes` may pass; if so, it has. */
  pass(id: number, bytes: number): boolean {
    const view = id < this.#views.length ? this.#views[id] : undefined
    if (view === undefined) return false
    if (!view.isOpen) {
      view.isOpen = true
      this.#used[this.#usedCount++] = view
      view.bucket.open(this.#time)
    }
    return view.bucket.take(view.countsBytes ? bytes * 8 : 1)
  }

  /** Gives back what was fetched for frames that did not come. */
  close(): void {
    for (let i = 0; i < this.#usedCount; i++) {
      const view = this.#used[i] as View
      view.isOpen = false
      view.bucket.close()
    }
    this.#usedCount = 0
  }
}
