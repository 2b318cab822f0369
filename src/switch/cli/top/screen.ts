import type { Paint, Style } from '../text/paint.js'
import { durationText } from '../text/show.js'
import { HISTORY, type History } from './history.js'
import type { FlowRates, LcoreRates, PortRates, TopView } from './rates.js'
import { short, sparkline } from './units.js'

export const SECTIONS = ['all', 'ports', 'lcores', 'flows'] as const
export type Section = (typeof SECTIONS)[number]
export const SORTS = ['rate', 'drops', 'state', 'name'] as const
export type Sort = (typeof SORTS)[number]

/** What is to be drawn, and how. */
export interface Screen {
  readonly columns: number
  readonly rows: number
  readonly section: Section
  readonly sort: Sort
  /** Lines of a section that are passed over. */
  readonly scroll: number
  /** In place of the first line: what is wrong. */
  readonly trouble: string | undefined
  readonly paint: Paint
  /** Whether the terminal shows characters beyond ASCII. */
  readonly unicode: boolean
}

/** One column of a table. */
interface Column<T> {
  readonly heading: string
  readonly width: number
  readonly left?: boolean
  text(one: T): string
  style?(one: T): Style | undefined
}

/** Width of a column of names in 80 columns, and the least there is. */
const NAMES = 16
const LEAST_NAMES = 8

const KEYS = 'q quit  a all  p ports  l lcores  f flows  s sort  up/down scroll'

/** All lines of the screen; none is longer than it is wide. @param view - undefined before there are two looks */
export function screenLines(view: TopView | undefined, history: History, screen: Screen): string[] {
  const { rows, columns, section, trouble, paint } = screen
  const head = view === undefined ? ['vswitch', ''] : headLines(view)
  if (trouble !== undefined) {
    head[0] = trouble
    if (view !== undefined) head[1] = `last seen: ${head[1]}`
  }
  const keys = KEYS.replace('sort', `sort: ${screen.sort}`)
  const room = rows - head.length - 1
  const body = view === undefined || room < 2 ? [] : bodyLines(view, history, screen, room)
  const fitted = (text: string) => text.slice(0, columns)
  return [
    paint(trouble === undefined ? 'heading' : 'bad', fitted(head[0] as string)),
    fitted(head[1] as string),
    ...body,
    ...Array<string>(Math.max(0, room - body.length)).fill(''),
    paint('faint', fitted(section === 'all' ? keys : `${section}: ${keys}`)),
  ].slice(0, rows)
}

function headLines({ version, pid, uptime, ports, lcores }: TopView): string[] {
  const ready = ports.filter(({ state }) => state === 'ready').length
  const sum = (value: (port: PortRates) => number) =>
    short(ports.reduce((total, port) => total + value(port), 0))
  // A mean would hide the one that has too much to do.
  const busiest = Math.max(0, ...lcores.map(({ busy }) => busy))
  return [
    `vswitch ${version}  pid ${pid}  up ${durationText(uptime)}  ${ready} of ${ports.length} ports ready  busiest lcore ${percent(busiest)}`,
    `rx ${sum(({ rx }) => rx.frames)} frames/s ${sum(({ rx }) => rx.bits)} bit/s  tx ${sum(({ tx }) => tx.frames)} frames/s ${sum(({ tx }) => tx.bits)} bit/s  drops ${sum(({ drops }) => drops)}/s`,
  ]
}

function bodyLines(
  { ports, lcores, flows, rules }: TopView,
  history: History,
  screen: Screen,
  room: number,
): string[] {
  const ofPorts = (height: number, scroll: number) =>
    table(
      sorted(ports, screen.sort, portOrder),
      portColumns(history, screen, widthOfNames(ports, screen.columns)),
      height,
      scroll,
      screen,
    )
  const ofLcores = (height: number, scroll: number) =>
    table(
      lcores,
      lcoreColumns(history, screen, widthOfNames(lcores, screen.columns)),
      height,
      scroll,
      screen,
    )
  const ofFlows = (height: number, scroll: number) => {
    const heading = flows.length < rules ? `flow (of ${rules} rules those with a cookie)` : 'flow'
    return table(
      sorted(flows, screen.sort, flowOrder),
      flowColumns(heading, screen),
      height,
      scroll,
      screen,
    )
  }
  if (screen.section === 'ports') return ofPorts(room, screen.scroll)
  if (screen.section === 'lcores') return ofLcores(room, screen.scroll)
  if (screen.section === 'flows') return ofFlows(room, screen.scroll)
  // Few lcores, then flows, and ports get what is left.
  const forLcores = Math.min(lcores.length + 1, Math.max(2, Math.floor(room / 4)))
  const forFlows = flows.length === 0 ? 0 : Math.min(flows.length + 1, Math.floor(room / 3))
  const tables = [
    ofLcores(forLcores, 0),
    ofPorts(room - forLcores - forFlows, screen.scroll),
    ...(forFlows < 2 ? [] : [ofFlows(forFlows, 0)]),
  ]
  // Apart from each other where there is room.
  const isRoomy = tables.flat().length + tables.length - 1 <= room
  return tables.flatMap((lines, i) => (isRoomy && i > 0 ? ['', ...lines] : lines))
}

/** Width of the first column: as wide as names need, where what is beside it fits 80 columns still. */
function widthOfNames(rows: readonly { readonly name: string }[], columns: number): number {
  const longest = Math.max(0, ...rows.map(({ name }) => name.length))
  // What the other columns of ports need is 64 less the names.
  const least = Math.max(LEAST_NAMES, Math.min(NAMES, columns - 64 + NAMES))
  return Math.max(least, Math.min(longest, columns - 80 + NAMES))
}

/** Names often begin alike: what is too long lacks its middle. */
function shortened(name: string, width: number, unicode: boolean): string {
  if (name.length <= width) return name
  const end = Math.floor(width / 2)
  return `${name.slice(0, width - end - 1)}${unicode ? '…' : '~'}${name.slice(name.length - end)}`
}

function table<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  height: number,
  scroll: number,
  { paint }: Screen,
): string[] {
  const fit = (text: string, { width, left }: Column<T>) =>
    left ? text.slice(0, width).padEnd(width) : text.slice(0, width).padStart(width)
  const heading = columns
    .map((column) => fit(column.heading, column))
    .join(' ')
    .trimEnd()
  const first = Math.max(0, Math.min(scroll, rows.length - (height - 1)))
  const lines = rows.slice(first, first + height - 1).map((row) =>
    columns
      .map((column) => {
        const text = fit(column.text(row), column)
        const style = column.style?.(row)
        return style === undefined ? text : paint(style, text)
      })
      .join(' ')
      .trimEnd(),
  )
  return [paint('heading', heading), ...lines].slice(0, Math.max(0, height))
}

/** Columns of given widths, as many as fit, and one that takes what is left. */
function filling<T>(
  fixed: readonly Column<T>[],
  columns: number,
  last: (width: number) => Column<T>,
) {
  let left = columns
  const fitting = fixed.filter(({ width }) => {
    left -= width + 1
    return left >= -1
  })
  return left >= 4 ? [...fitting, last(left)] : fitting
}

const percent = (share: number) => `${Math.round(100 * share)}%`
const dropStyle = (drops: number): Style => (drops > 0 ? 'bad' : 'faint')

function portColumns(
  history: History,
  { columns, unicode }: Screen,
  names: number,
): readonly Column<PortRates>[] {
  const fixed: Column<PortRates>[] = [
    {
      heading: 'port',
      width: names,
      left: true,
      text: ({ name }) => shortened(name, names, unicode),
    },
    {
      heading: 'state',
      width: 10,
      left: true,
      text: ({ state }) => state,
      style: ({ state }) => (state === 'ready' ? 'good' : state === 'failed' ? 'bad' : 'waiting'),
    },
    { heading: 'rx/s', width: 6, text: ({ rx }) => short(rx.frames) },
    { heading: 'rx bit', width: 6, text: ({ rx }) => short(rx.bits) },
    { heading: 'tx/s', width: 6, text: ({ tx }) => short(tx.frames) },
    { heading: 'tx bit', width: 6, text: ({ tx }) => short(tx.bits) },
    {
      heading: 'drop/s',
      width: 6,
      text: ({ drops }) => short(drops),
      style: ({ drops }) => dropStyle(drops),
    },
  ]
  return filling(fixed, columns, (left) => {
    const width = Math.min(left, HISTORY)
    return {
      heading: 'frames',
      width,
      text: ({ name }) => sparkline(history.of(`port ${name}`), width, unicode),
      style: () => 'faint',
    }
  })
}

function lcoreColumns(
  history: History,
  { columns, unicode }: Screen,
  names: number,
): readonly Column<LcoreRates>[] {
  const fixed: Column<LcoreRates>[] = [
    {
      heading: 'lcore',
      width: names,
      left: true,
      text: ({ name }) => shortened(name, names, unicode),
    },
    { heading: 'rx queues', width: 10, text: ({ rxQueues }) => String(rxQueues) },
    { heading: 'rx/s', width: 6, text: ({ frames }) => short(frames) },
    {
      heading: 'cycles/frame',
      width: 13,
      text: ({ cyclesPerFrame }) => (cyclesPerFrame === undefined ? '-' : short(cyclesPerFrame)),
    },
    {
      // Ends where the drops of ports do, so that sparklines are below each other.
      heading: 'busy',
      width: 13,
      text: ({ busy }) => percent(busy),
      style: ({ busy }) => (busy > 0.9 ? 'bad' : busy > 0.7 ? 'waiting' : undefined),
    },
  ]
  return filling(fixed, columns, (left) => {
    const width = Math.min(left, HISTORY)
    return {
      heading: 'busy',
      width,
      text: ({ name }) => sparkline(history.of(`lcore ${name}`), width, unicode, 1),
      style: () => 'faint',
    }
  })
}

function flowColumns(heading: string, { columns }: Screen): readonly Column<FlowRates>[] {
  const fixed: Column<FlowRates>[] = [
    { heading: '/s', width: 6, text: ({ frames }) => short(frames) },
    { heading: 'bit/s', width: 6, text: ({ bits }) => short(bits) },
    { heading: 'bridge', width: 10, left: true, text: ({ bridge }) => bridge },
  ]
  return filling(fixed, columns, (width) => ({
    heading,
    width,
    left: true,
    text: ({ table, priority, match, actions }) =>
      `${table > 0 ? `table=${table},` : ''}priority=${priority}${match && `,${match}`} actions=${actions}`,
  }))
}

function sorted<T>(rows: readonly T[], sort: Sort, order: Record<Sort, (a: T, b: T) => number>) {
  return [...rows].sort(order[sort])
}

const portOrder: Record<Sort, (a: PortRates, b: PortRates) => number> = {
  rate: (a, b) => b.rx.frames + b.tx.frames - (a.rx.frames + a.tx.frames) || byName(a, b),
  drops: (a, b) => b.drops - a.drops || byName(a, b),
  // What needs somebody comes first.
  state: (a, b) => readiness(a) - readiness(b) || byName(a, b),
  name: byName,
}

const flowOrder: Record<Sort, (a: FlowRates, b: FlowRates) => number> = {
  rate: (a, b) => b.frames - a.frames,
  drops: (a, b) => b.frames - a.frames,
  state: (a, b) => b.frames - a.frames,
  name: () => 0,
}

const readiness = ({ state }: PortRates) => (state === 'failed' ? 0 : state === 'ready' ? 2 : 1)

function byName(a: { name: string }, b: { name: string }): number {
  return a.name.localeCompare(b.name, 'en', { numeric: true })
}
