import { type HistogramValue, type MetricDefinition, MOST_LABELS } from './definition.js'

type Label = string | number | undefined

/** A series, and where its value stands in the bytes of its metric. */
interface Line {
  /** What follows the metric's name: of a histogram `_bucket`, `_sum` or `_count`. */
  readonly suffix: string
  /** Of a bucket. */
  readonly bound: number | '+Inf' | undefined
  readonly a: Label
  readonly b: Label
  readonly c: Label
  readonly d: Label
  readonly e: Label
  readonly f: Label
  /** All but the value, and the space before it. */
  readonly series: string
  value: number
  at: number
  /** Bytes of the value. */
  length: number
}

/**
 * A metric in Prometheus' text format, kept from one scrape to the next: most series stay, few of them count, and those that
 * do mostly keep their number of digits, which are then written over the ones before. Who writes thousands of lines anew at each
 * scrape leaves megabytes of garbage, and so does who makes an array of the labels of each: they come one by one.
 */
export class MetricText<Snapshot> {
  readonly #definition: MetricDefinition<Snapshot>
  readonly #head: string
  readonly #lines: Line[] = []
  /** Series of the snapshot that were looked at. */
  #count = 0
  /** Whether the bytes have to be made anew. */
  #isStale = false
  #bytes: Buffer

  /** @throws RangeError when the metric has more labels than {@link MOST_LABELS} */
  constructor(definition: MetricDefinition<Snapshot>) {
    const { name, help, type, labels } = definition
    if (labels.length > MOST_LABELS) {
      throw new RangeError(
        `${name} has ${labels.length} labels; at most ${MOST_LABELS} are possible`,
      )
    }
    const escapedHelp = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
    this.#definition = definition
    this.#head = `# HELP ${name} ${escapedHelp}\n# TYPE ${name} ${type}\n`
    this.#bytes = Buffer.from(this.#head)
  }

  /** As a snapshot has it. The bytes are written over by the next call. */
  of(snapshot: Snapshot): Buffer {
    const definition = this.#definition
    this.#count = 0
    if (definition.type === 'histogram') definition.collect(snapshot, this.#addBuckets)
    else definition.collect(snapshot, this.#addValue)
    if (this.#isStale || this.#count !== this.#lines.length) {
      this.#lines.length = this.#count
      this.#write()
    }
    return this.#bytes
  }

  readonly #addValue = (
    value: number,
    a?: Label,
    b?: Label,
    c?: Label,
    d?: Label,
    e?: Label,
    f?: Label,
  ) => this.#put(value, '', undefined, a, b, c, d, e, f)

  readonly #addBuckets = (
    { bounds, counts, sum }: HistogramValue,
    a?: Label,
    b?: Label,
    c?: Label,
    d?: Label,
    e?: Label,
    f?: Label,
  ) => {
    let count = 0
    for (let i = 0; i < counts.length; i++) {
      // Prometheus' buckets hold what is in those before as well.
      count += counts[i] as number
      this.#put(count, '_bucket', bounds[i] ?? '+Inf', a, b, c, d, e, f)
    }
    this.#put(sum, '_sum', undefined, a, b, c, d, e, f)
    this.#put(count, '_count', undefined, a, b, c, d, e, f)
  }

  #put(
    value: number,
    suffix: string,
    bound: Line['bound'],
    a: Label,
    b: Label,
    c: Label,
    d: Label,
    e: Label,
    f: Label,
  ): void {
    const at = this.#count++
    const line = this.#lines[at]
    if (
      line === undefined ||
      line.suffix !== suffix ||
      line.bound !== bound ||
      line.a !== a ||
      line.b !== b ||
      line.c !== c ||
      line.d !== d ||
      line.e !== e ||
      line.f !== f
    ) {
      const series = this.#seriesOf(suffix, bound, [a, b, c, d, e, f])
      this.#lines[at] = { suffix, bound, a, b, c, d, e, f, series, value, at: 0, length: 0 }
      this.#isStale = true
    } else if (line.value !== value) {
      line.value = value
      if (this.#isStale) return
      const text = String(value)
      if (text.length === line.length) this.#bytes.write(text, line.at, 'latin1')
      else this.#isStale = true
    }
  }

  #seriesOf(suffix: string, bound: Line['bound'], values: readonly Label[]): string {
    const { name, labels } = this.#definition
    const pairs = labels.map((label, i) => `${label}="${escaped(values[i])}"`)
    if (bound !== undefined) pairs.push(`le="${bound}"`)
    return `${name}${suffix}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} `
  }

  #write(): void {
    this.#isStale = false
    const values = this.#lines.map(({ value }) => String(value))
    const texts = this.#lines.map(({ series }, i) => `${series}${values[i]}\n`)
    this.#bytes = Buffer.from(this.#head + texts.join(''))
    let at = Buffer.byteLength(this.#head)
    this.#lines.forEach((line, i) => {
      line.at = at + Buffer.byteLength(line.series)
      line.length = (values[i] as string).length
      at = line.at + line.length + 1
    })
  }
}

/**
 * Metrics in Prometheus' text format, version 0.0.4. `prom-client` writes it too, but takes longer than a scrape of
 * hundreds of ports may.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export class MetricsText<Snapshot> {
  readonly #metrics: readonly MetricText<Snapshot>[]

  constructor(definitions: readonly MetricDefinition<Snapshot>[]) {
    this.#metrics = definitions.map((definition) => new MetricText(definition))
  }

  /** All metrics, as a snapshot has them. */
  of(snapshot: Snapshot): Buffer {
    return Buffer.concat(this.#metrics.map((metric) => metric.of(snapshot)))
  }
}

const SPECIAL = /["\\\n]/

function escaped(value: string | number = ''): string | number {
  if (typeof value === 'number' || !SPECIAL.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
