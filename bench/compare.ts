import { type Report, resultOf } from './json-report.js'
import type { Machine } from './machine.js'
import type { Figure, Section } from './section.js'
import { table } from './table.js'
import { short } from './text-report.js'
import { noiseOf } from './verdict.js'

/** A figure without a spread moved when it changed by more than this share. */
const UNKNOWN_SPREAD = 0.1

/** A change of less than this share is none, however narrow the spreads are. */
const SMALL = 0.02

/** How one figure differs between two runs. */
export interface Move {
  readonly section: string
  readonly old: Figure
  readonly now: Figure
  /** `now` as a share of `old`. */
  readonly ratio: number
  /** Whether the difference is beyond what either run varies by itself. */
  readonly moved: boolean
  readonly better: boolean
}

/** All figures that both runs have. */
export function movesOf(old: Report, now: Report, sections: readonly Section[]): Move[] {
  return sections.flatMap((section) => {
    const before = new Map(figuresOf(old, section).map((figure) => [figure.key, figure]))
    return figuresOf(now, section).flatMap((figure) => {
      const other = before.get(figure.key)
      return other === undefined ? [] : [moveOf(section.name, other, figure)]
    })
  })
}

function figuresOf(report: Report, section: Section): Figure[] {
  const result = resultOf(report, section)
  return result === undefined ? [] : section.figures(result)
}

function moveOf(section: string, old: Figure, now: Figure): Move {
  const ratio = now.value / old.value
  const [a, b] = [rangeOf(old), rangeOf(now)]
  const apart = a.high < b.low || b.high < a.low
  const moved = apart && !(Math.abs(ratio - 1) < SMALL)
  return {
    section,
    old,
    now,
    ratio,
    moved,
    better: now.value > old.value === (now.better === 'more'),
  }
}

/** Its spread; where it has none, or one of a single round, one is supposed. */
function rangeOf({ value, low, high }: Figure): { low: number; high: number } {
  if (low !== undefined && high !== undefined && low !== high) return { low, high }
  const half = (Math.abs(value) * UNKNOWN_SPREAD) / 2
  return { low: value - half, high: value + half }
}

/** What moved, as text. */
export function comparison(old: Report, now: Report, sections: readonly Section[]): string {
  const moves = movesOf(old, now, sections)
  const moved = moves.filter((move) => move.moved)
  const rows = moved.map((move) => [
    `${move.section}: ${move.now.key}`,
    withRange(move.old),
    withRange(move.now),
    move.now.unit,
    `x ${move.ratio.toFixed(2)}`,
    move.better ? 'better' : 'worse',
  ])
  const title = `Compared with the run of ${old.machine.date ?? 'unknown date'}`
  const parts = [`${title}\n${'='.repeat(title.length)}`]
  const differences = differencesOf(old, now)
  if (differences.length > 0) parts.push(differences.map((text) => `! ${text}`).join('\n'))
  if (moved.length > 0) {
    parts.push(table([['moved beyond noise', 'then', 'now', '', '', ''], ...rows]))
  }
  parts.push(
    moves.length === 0
      ? 'The two runs have no figure in common.'
      : `${moved.length} of ${moves.length} figures moved: their spreads over rounds do not touch.`,
  )
  return parts.join('\n\n')
}

function withRange(figure: Figure): string {
  const { value, low, high } = figure
  if (low === undefined || high === undefined || low === high) return short(value)
  return `${short(value)} (${short(low)}-${short(high)})`
}

/** What bears on the numbers and is not the same. */
const BEARING: readonly (readonly [name: string, of: (machine: Machine) => unknown])[] = [
  ['CPU', ({ cpu, cpus }) => `${cpus} of ${cpu}`],
  ['CPUs of switch and load', ({ switchCpu, generatorCpu }) => `${switchCpu} and ${generatorCpu}`],
  ['kernel', ({ kernel }) => kernel],
  ['kernel parameters', ({ kernelParameters }) => kernelParameters?.join(' ')],
  ['distribution', ({ distribution }) => distribution],
  ['frequency governor', ({ governor }) => governor ?? 'none'],
  ['clock', ({ mhz }) => mhz?.join(' and ')],
  ['boost', ({ boost }) => boost],
  ['SMT', ({ smt }) => smt],
  ['memory', ({ memory }) => memory],
  ['dpdk-vhost', ({ versions }) => `${versions?.package} ${versions?.commit ?? ''}`.trim()],
  ['Node.js', ({ versions }) => versions?.node],
  ['DPDK', ({ versions }) => versions?.dpdk],
  ['testpmd', ({ versions }) => versions?.testpmd],
  ['OVS', ({ versions }) => versions?.ovs],
]

/** Differences between the machines, versions and settings of two runs, and what made either noisy. */
export function differencesOf(old: Report, now: Report): string[] {
  const machine = BEARING.flatMap(([name, of]) => {
    const [then, today] = [of(old.machine), of(now.machine)]
    // Older reports have less.
    if (then === undefined || today === undefined || String(then) === String(today)) return []
    return [`${name}: then ${then}, now ${today}`]
  })
  const [then, today] = [old.settings?.effort, now.settings?.effort]
  const effort = then === undefined || then === today ? [] : [`effort: then ${then}, now ${today}`]
  const early = [
    ...(old.interrupted === undefined ? [] : ['the old run was interrupted']),
    ...(now.interrupted === undefined ? [] : ['the new run was interrupted']),
  ]
  // What moved may be the machine then.
  const noise = [
    ...noiseOf(old.sections ?? {}).map((text) => `then ${text}`),
    ...noiseOf(now.sections ?? {}).map((text) => `now ${text}`),
  ]
  return [...machine, ...effort, ...early, ...noise]
}
