import type { Buckets } from './messages.js'

/** Buckets of equal width in each octave, as native/lcore/trial.h has them. */
const STEPS = 64

/** Times of frames, known to within 1.6 %. */
export class Histogram {
  readonly #buckets: Buckets
  readonly #cyclesPerMicrosecond: number
  readonly count: number

  constructor(buckets: Buckets, cyclesPerSecond: number) {
    this.#buckets = buckets
    this.#cyclesPerMicrosecond = cyclesPerSecond / 1e6
    this.count = buckets.reduce((sum, [, count]) => sum + count, 0)
  }

  /** Several as one. */
  static sum(parts: readonly Histogram[]): Histogram {
    const counts = new Map<number, number>()
    for (const part of parts)
      for (const [bucket, count] of part.#buckets)
        counts.set(bucket, (counts.get(bucket) ?? 0) + count)
    const buckets = [...counts].sort(([a], [b]) => a - b)
    const [first] = parts
    return new Histogram(buckets, first === undefined ? 0 : first.#cyclesPerMicrosecond * 1e6)
  }

  /** Share of the frames that took longer than that many microseconds; NaN without frames. */
  shareAbove(microseconds: number): number {
    const limit = microseconds * this.#cyclesPerMicrosecond
    const above = this.#buckets.filter(([bucket]) => upperEnd(bucket) >= limit)
    return above.reduce((sum, [, count]) => sum + count, 0) / this.count
  }

  /** Microseconds that the share `q` of the frames, 0 to 1, did not exceed; 1 is the longest. NaN without frames. */
  quantile(q: number): number {
    let left = Math.max(1, Math.ceil(q * this.count))
    for (const [bucket, count] of this.#buckets) {
      left -= count
      if (left <= 0) return (upperEnd(bucket) + 1) / this.#cyclesPerMicrosecond
    }
    return Number.NaN
  }
}

/** Most cycles that fall into a bucket. */
function upperEnd(bucket: number): number {
  const octave = Math.max(0, Math.floor(bucket / STEPS) - 1)
  return (bucket - octave * STEPS + 1) * 2 ** octave - 1
}
