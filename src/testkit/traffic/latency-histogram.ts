import type { LatencyReport } from './reports.js'

/** Buckets to an octave: values are known to within 12 %. */
const STEPS = 8
const BUCKETS = 32 * STEPS

/** Times of frames in microseconds, in buckets of equal ratio. */
export class LatencyHistogram {
  readonly #buckets = new Uint32Array(BUCKETS)
  #count = 0
  #sum = 0
  #min = Number.POSITIVE_INFINITY
  #max = 0

  add(microseconds: number): void {
    this.#buckets[bucketOf(microseconds)]! += 1
    this.#count += 1
    this.#sum += microseconds
    if (microseconds < this.#min) this.#min = microseconds
    if (microseconds > this.#max) this.#max = microseconds
  }

  report(): LatencyReport | undefined {
    if (this.#count === 0) return undefined
    return {
      min: this.#min,
      mean: this.#sum / this.#count,
      median: this.#quantile(0.5),
      p99: this.#quantile(0.99),
      max: this.#max,
    }
  }

  #quantile(q: number): number {
    let left = q * this.#count
    for (let i = 0; i < BUCKETS; i++) {
      left -= this.#buckets[i] as number
      if (left <= 0) return Math.min(upperEnd(i), this.#max)
    }
    return this.#max
  }
}

function bucketOf(value: number): number {
  if (value < STEPS) return value
  const octave = 31 - Math.clz32(value)
  return (octave - 2) * STEPS + ((value >>> (octave - 3)) & (STEPS - 1))
}

function upperEnd(bucket: number): number {
  if (bucket < STEPS) return bucket
  const octave = Math.floor(bucket / STEPS) + 2
  return (STEPS + (bucket % STEPS) + 1) * 2 ** (octave - 3) - 1
}
