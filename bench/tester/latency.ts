import type { Trial } from './trial.js'

/** Latencies of the frames of some trials, in microseconds: plain data for the JSON. */
export interface Latency {
  /** Frames they are of. */
  readonly frames: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  /** Pairs of percentile and microseconds, for a plot. */
  readonly curve: readonly (readonly [percentile: number, microseconds: number])[]
}

/** Percentiles of a curve: as many in each nine. */
const CURVE = [0, 1, 2, 3, 4].flatMap((nines) =>
  [0, 0.25, 0.5, 0.75].map((part) => 100 - 100 * 10 ** -(nines + part)),
)

/** `undefined` when there are no frames to tell of. */
export function latencyOf({ latency }: Trial): Latency | undefined {
  const { count } = latency
  if (count === 0) return undefined
  const at = (percentile: number) => latency.quantile(percentile / 100)
  // A percentile beyond the number of frames would be the longest again and again.
  const curve = CURVE.filter((percentile) => count * (1 - percentile / 100) >= 1)
  return {
    frames: count,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: at(100),
    curve: curve.map((percentile) => [percentile, at(percentile)]),
  }
}
