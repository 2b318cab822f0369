/** Metrics as Prometheus reads them. */

/** A scrape, read. */
export interface Exposition {
  /** Values by name and labels, as written: `up{port="a"}`. */
  readonly values: ReadonlyMap<string, number>
  /** Types by name. */
  readonly types: ReadonlyMap<string, string>
  readonly helps: ReadonlyMap<string, string>
}

export function readExposition(text: string): Exposition {
  const lines = text.split('\n').filter((line) => line !== '')
  const comments = (kind: string) =>
    new Map(
      lines.flatMap((line) => {
        const found = new RegExp(`^# ${kind} (\\S+) (.*)$`).exec(line)
        return found === null ? [] : [[found[1] as string, found[2] as string] as const]
      }),
    )
  const samples = lines.filter((line) => !line.startsWith('#'))
  return {
    values: new Map(
      samples.map((line) => {
        const at = line.lastIndexOf(' ')
        return [line.slice(0, at), Number(line.slice(at + 1))]
      }),
    ),
    types: comments('TYPE'),
    helps: comments('HELP'),
  }
}

/** Series that count, but for gauges: what must never go back. */
export function countersOf({ values, types }: Exposition): Map<string, number> {
  const isCounter = (series: string) => {
    const name = series.replace(/\{.*/, '')
    const type = types.get(name) ?? types.get(name.replace(/_(bucket|sum|count)$/, ''))
    return type === 'counter' || type === 'histogram'
  }
  return new Map([...values].filter(([series]) => isCounter(series)))
}
