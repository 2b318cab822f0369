import { type LabelValues, linesOf, type MetricDefinition } from './definition.js'

/** A line as it was written last. */
interface Line {
  readonly name: string
  readonly values: LabelValues
  /** All but the value. */
  readonly series: string
  value: number
  text: string
}

/**
 * Metrics in Prometheus' text format, version 0.0.4. `prom-client` writes it too, but takes longer than a scrape of
 * hundreds of ports may. Lines and the text of a metric are kept from one scrape to the next, since most series stay and few
 * of them count: who writes them all anew leaves megabytes of garbage. `+` joins nothing yet: that is done once, by who sends
 * the text.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export class MetricsText<Snapshot> {
  readonly #metrics: readonly {
    readonly definition: MetricDefinition<Snapshot>
    readonly head: string
    readonly lines: Line[]
    /** As it was last. */
    text: string
  }[]

  constructor(definitions: readonly MetricDefinition<Snapshot>[]) {
    this.#metrics = definitions.map((definition) => {
      const { name, help, type } = definition
      const escapedHelp = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
      const head = `# HELP ${name} ${escapedHelp}\n# TYPE ${name} ${type}\n`
      return { definition, head, lines: [], text: head }
    })
  }

  /** All metrics, as a snapshot has them. */
  of(snapshot: Snapshot): string {
    let text = ''
    for (const metric of this.#metrics) {
      const { definition, head, lines } = metric
      let count = 0
      let isSame = true
      linesOf(definition, snapshot, (name, labels, values, value) => {
        let line = lines[count]
        if (line === undefined || !isOf(line, name, values)) {
          const series = name + labelText(labels, values)
          line = { name, values, series, value, text: `${series} ${value}\n` }
          lines[count] = line
          isSame = false
        } else if (line.value !== value) {
          line.value = value
          line.text = `${line.series} ${value}\n`
          isSame = false
        }
        count++
      })
      if (!isSame || count !== lines.length) {
        lines.length = count
        metric.text = head + lines.map((line) => line.text).join('')
      }
      text += metric.text
    }
    return text
  }
}

function isOf(line: Line, name: string, values: LabelValues): boolean {
  if (line.name !== name || line.values.length !== values.length) return false
  for (let i = 0; i < values.length; i++) if (line.values[i] !== values[i]) return false
  return true
}

function labelText(labels: readonly string[], values: LabelValues): string {
  if (labels.length === 0) return ''
  return `{${labels.map((label, i) => `${label}="${escaped(values[i])}"`).join(',')}}`
}

const SPECIAL = /["\\\n]/

function escaped(value: string | number = ''): string | number {
  if (typeof value === 'number' || !SPECIAL.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
