/** Values of a series' labels, in the order of {@link MetricDefinition.labels}. */
export type LabelValues = readonly (string | number)[]

/** Frames of a histogram, by bucket. */
export interface HistogramValue {
  /** Upper bounds of the buckets, but for the last, which has none. */
  readonly bounds: readonly number[]
  /** What fell into each bucket, and not into one before it. */
  readonly counts: readonly number[]
  readonly sum: number
}

/** Most labels of a metric. */
export const MOST_LABELS = 6

interface Common {
  /** With a prefix, in base units, `_total` for a counter. */
  readonly name: string
  readonly help: string
  /** Names of its labels, at most {@link MOST_LABELS}. */
  readonly labels: readonly string[]
}

/** A metric: what it is, and how its series are read out of a snapshot. */
export type MetricDefinition<Snapshot> = Common &
  (
    | {
        readonly type: 'counter' | 'gauge'
        collect(snapshot: Snapshot, add: (value: number, ...labels: LabelValues) => void): void
      }
    | {
        readonly type: 'histogram'
        collect(
          snapshot: Snapshot,
          add: (value: HistogramValue, ...labels: LabelValues) => void,
        ): void
      }
  )

/** One line of a scrape. */
export type AddLine = (
  /** The metric's name; of a histogram with `_bucket`, `_sum` or `_count`. */
  name: string,
  labels: readonly string[],
  values: LabelValues,
  value: number,
) => void

/** Hands on every line of a metric. */
export function linesOf<Snapshot>(
  definition: MetricDefinition<Snapshot>,
  snapshot: Snapshot,
  line: AddLine,
): void {
  const { name, labels } = definition
  if (definition.type !== 'histogram') {
    definition.collect(snapshot, (value, ...values) => line(name, labels, values, value))
    return
  }
  const withBound = [...labels, 'le']
  definition.collect(snapshot, ({ bounds, counts, sum }, ...values) => {
    let count = 0
    counts.forEach((own, i) => {
      // Prometheus' buckets hold what is in those before as well.
      count += own
      line(`${name}_bucket`, withBound, [...values, bounds[i] ?? '+Inf'], count)
    })
    line(`${name}_sum`, labels, values, sum)
    line(`${name}_count`, labels, values, count)
  })
}

const snakeCases = new Map<string, string>()

/** `ringFull` as `ring_full`; remembered, because names are few and asked for at each scrape. */
export function snakeCase(name: string): string {
  const known = snakeCases.get(name)
  if (known !== undefined) return known
  const made = name.replace(/[A-Z]/g, (letter, at) => (at > 0 ? '_' : '') + letter.toLowerCase())
  snakeCases.set(name, made)
  return made
}
