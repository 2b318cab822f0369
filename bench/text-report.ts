import { type Report, resultOf } from './json-report.js'
import type { Machine } from './machine.js'
import type { Axis, Exhibit, Plot, Section } from './section.js'
import { table } from './table.js'
import { caveatsOf } from './verdict.js'

/** What is measured where, printed before the first sample. */
export function describe(machine: Machine): string {
  return describeRows([...machineRows(machine), ['command', machine.command]])
}

function cpuRow(machine: Machine, side: 0 | 1): Row {
  const cpu = side === 0 ? machine.switchCpu : machine.generatorCpu
  const others = machine.siblings[side].filter((other) => other !== cpu)
  const words = [
    `CPU ${cpu}`,
    ...(machine.mhz?.[side] === undefined ? [] : [`${machine.mhz[side]} MHz`]),
    ...(machine.governor === undefined ? [] : [`governor ${machine.governor}`]),
    ...(others.length === 0 ? [] : [`shares its core with ${others.join(', ')}`]),
  ]
  return [side === 0 ? 'switch' : 'load', words.join(', ')]
}

export type Row = readonly [key: string, value: string]

export function describeRows(rows: readonly Row[]): string {
  return rows.map(([key, value]) => `${key.padEnd(10)} ${value}`).join('\n')
}

/** What any measurement ran on. */
export function machineRows(machine: Machine): Row[] {
  const { versions } = machine
  return [
    [
      'machine',
      `${machine.cpu}, ${machine.cpus} CPUs${machine.virtual ? ' (virtual machine)' : ''}, ${machine.memoryGiB} GiB`,
    ],
    [
      'system',
      `${machine.distribution}, Linux ${machine.kernel} ${machine.kernelParameters.join(' ')}`.trim(),
    ],
    [
      'versions',
      `dpdk-vhost ${versions.package}${versions.commit ? ` (${versions.commit})` : ''}, Node.js ${versions.node}, ${versions.dpdk}, testpmd: ${versions.testpmd}${versions.ovs ? `, OVS ${versions.ovs}` : ''}`,
    ],
    ['memory', `${machine.memory} for every process; hugepages: ${hugepagesOf(machine)}`],
    cpuRow(machine, 0),
    cpuRow(machine, 1),
  ]
}

function hugepagesOf({ hugepages }: Machine): string {
  const some = hugepages.filter(({ total }) => total > 0)
  if (some.length === 0) return 'none reserved'
  return some
    .map(({ sizeKiB, total, free }) => `${total} of ${sizeKiB / 1024} MiB, ${free} free`)
    .join('; ')
}

/** Everything that was measured, printed after the last sample. */
export function summarize(report: Report, sections: readonly Section[]): string {
  const parts = sections.flatMap((section) => {
    const own = report.sections[section.name]
    const result = resultOf(report, section)
    if (own === undefined && result === undefined) return []
    const shown = result === undefined ? [] : inWords(section.show(result)).map(textOf)
    const missing = own?.incomplete === undefined ? [] : [`! ${own.incomplete}`]
    return [[heading(section.title), ...shown, ...missing].join('\n\n')]
  })
  const said = caveatsOf(report).map((text) => `! ${text}`)
  return [
    ...parts,
    ...(said.length > 0 ? [[heading('The machine'), ...said].join('\n')] : []),
  ].join('\n\n\n')
}

/** Where there are tables, plots have nothing to add in words. */
export function inWords(exhibits: readonly Exhibit[]): readonly Exhibit[] {
  const tables = exhibits.some(({ kind }) => kind === 'table')
  return tables ? exhibits.filter(({ kind }) => kind !== 'plot') : exhibits
}

function heading(title: string): string {
  return `${title}\n${'='.repeat(title.length)}`
}

export function textOf(exhibit: Exhibit): string {
  if (exhibit.kind === 'note') return exhibit.caveat ? `! ${exhibit.text}` : exhibit.text
  if (exhibit.kind === 'table') return `${exhibit.title}\n${table(exhibit.rows)}`
  return `${exhibit.title}\n${table(pointsOf(exhibit))}`
}

/** A plot as a table: a row for each place on the x axis, a column for each series. */
export function pointsOf({ x, y, series }: Plot): string[][] {
  const places = [...new Set(series.flatMap(({ points }) => points.map((point) => point.x)))].sort(
    (a, b) => a - b,
  )
  const cell = (one: Plot['series'][number], place: number) => {
    const point = one.points.find((other) => other.x === place)
    if (point === undefined) return ''
    const { low, high } = point
    const range = low === undefined || high === undefined ? '' : ` (${short(low)}-${short(high)})`
    return `${short(point.y)}${range}`
  }
  return [
    [x.label, ...series.map(({ name }) => (name === '' ? y.label : `${name}, ${y.label}`))],
    ...places.map((place) => [placeName(x, place), ...series.map((one) => cell(one, place))]),
  ]
}

function placeName({ names }: Axis, place: number): string {
  return names?.[place] ?? short(place)
}

/** Three digits that matter. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '-'
  const size = Math.abs(value)
  if (size >= 1000 || Number.isInteger(value)) return Math.round(value).toString()
  return Number(value.toPrecision(3)).toString()
}
