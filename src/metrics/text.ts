import { linesOf, type MetricDefinition } from './definition.js'

/**
 * Metrics in Prometheus' text format, version 0.0.4. `prom-client` writes it too, but takes longer than a scrape of
 * hundreds of ports may.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function metricsText<Snapshot>(
  definitions: readonly MetricDefinition<Snapshot>[],
  snapshot: Snapshot,
): string {
  let text = ''
  for (const definition of definitions) {
    const { name, help, type } = definition
    text += `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`
    text += `# TYPE ${name} ${type}\n`
    linesOf(definition, snapshot, (line, labels, values, value) => {
      text += line
      if (labels.length > 0) {
        let mark = '{'
        for (let i = 0; i < labels.length; i++) {
          text += `${mark}${labels[i]}="${escaped(values[i])}"`
          mark = ','
        }
        text += '}'
      }
      text += ` ${value}\n`
    })
  }
  return text
}

const SPECIAL = /["\\\n]/

function escaped(value: string | number = ''): string | number {
  if (typeof value === 'number' || !SPECIAL.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
