import { counted } from '../../src/switch/counted.js'
import type { Exhibit, Figure, Note, Table } from '../section.js'
import { extremes, median, spread } from '../statistics.js'
import { slowed } from '../verdict.js'
import { REFERENCE } from './contender.js'
import type { Sample } from './measure.js'
import type { Results, Run } from './run.js'

/** What is told of every switch. */
const GAPS = ['switchGapMs', 'guestGapMs', 'reconnectMs'] as const
type Gap = (typeof GAPS)[number]

const TITLES: Readonly<Record<Gap, string>> = {
  switchGapMs: '(a) the switch is killed and started again: longest time without a frame',
  guestGapMs:
    '(b) the receiving guest is killed and started again: time to its first frame, its own start included',
  reconnectMs: 'of (b), from the moment when its socket listens: what the switch has a part in',
}

/** What goes into the JSON. */
export interface ReconnectResult {
  readonly settings: {
    readonly rounds: number
    readonly rate: number
    /** Of other programs than this package and testpmd. */
    readonly versions: Readonly<Record<string, string | undefined>>
  }
  readonly runs: readonly (Readonly<Record<Gap, number>> & {
    readonly name: string
    readonly rounds: readonly Sample[]
  })[]
  /** Median over rounds of the ratio within each round, by `a/b@figure`. */
  readonly ratios: Readonly<Record<string, number>>
  readonly calibrations: Results['calibrations']
  /** What to know before believing the numbers. */
  readonly caveats: readonly string[]
}

export function reconnectResult(
  settings: ReconnectResult['settings'],
  results: Results,
): ReconnectResult {
  const { runs, calibrations } = results
  const ratios = GAPS.flatMap((gap) =>
    runs.flatMap((run) => {
      const rounds = ratiosOf(run, runs, gap)
      return rounds ? [[`${run.name}/${REFERENCE}@${gap}`, median(rounds)] as const] : []
    }),
  )
  return {
    settings: { ...settings, rounds: runs[0]?.samples.length ?? 0 },
    runs: runs.map(({ name, samples }) => ({
      name,
      switchGapMs: median(of(samples, 'switchGapMs')),
      guestGapMs: median(of(samples, 'guestGapMs')),
      reconnectMs: median(of(samples, 'reconnectMs')),
      rounds: samples,
    })),
    ratios: Object.fromEntries(ratios),
    calibrations: [...calibrations],
    caveats: caveats(results),
  }
}

export function show({ settings, runs, caveats }: ReconnectResult): Exhibit[] {
  const { rounds, rate, versions } = settings
  const known = Object.entries(versions).filter(([, version]) => version !== undefined)
  const notes = [
    `Medians of ${counted(rounds, 'round')} with a stream of ${rate} frames a second; ratios are paired round by round, less is better.`,
    ...known.map(([name, version]) => `${name}: ${version}.`),
  ]
  const names = runs.map(({ name }) => name)
  return [
    {
      kind: 'plot',
      title: 'Time without frames, median and extremes',
      x: { label: '', names },
      y: { label: 'ms', scale: 'log' },
      series: [
        { name: '(a) switch restarted', points: pointsOf(runs, 'switchGapMs') },
        { name: '(b) guest restarted', points: pointsOf(runs, 'guestGapMs') },
        { name: 'of (b), since it listens', points: pointsOf(runs, 'reconnectMs') },
      ],
    },
    ...GAPS.map((gap) => tableOf(runs, gap)),
    ...notes.map((text): Note => ({ kind: 'note', text })),
    ...caveats.map((text): Note => ({ kind: 'note', text, caveat: true })),
  ]
}

function pointsOf(runs: ReconnectResult['runs'], gap: Gap) {
  return runs.map((run, x) => ({ x, y: run[gap], ...extremes(of(run.rounds, gap)) }))
}

function tableOf(runs: ReconnectResult['runs'], gap: Gap): Table {
  const samples = runs.map((run) => ({ name: run.name, samples: run.rounds }))
  const rows = samples.map((run) => {
    const values = of(run.samples, gap)
    const ratios = ratiosOf(run, samples, gap)
    return [
      run.name,
      `${median(values).toFixed(0)} ms`,
      range(values, 0),
      ratios === undefined ? '' : `${median(ratios).toFixed(2)} (${range(ratios, 2)})`,
    ]
  })
  const head = ['', 'median', 'lowest-highest', `to ${REFERENCE}`]
  return { kind: 'table', title: TITLES[gap], rows: [head, ...rows] }
}

export function figures({ runs }: ReconnectResult): Figure[] {
  return runs.flatMap((run) =>
    GAPS.map((gap) => ({
      key: `${run.name} ${gap}`,
      value: run[gap],
      unit: 'ms',
      ...extremes(of(run.rounds, gap)),
      better: 'less' as const,
    })),
  )
}

/** Gaps to the reference's, round by round; undefined for itself and where it was not measured. */
export function ratiosOf(
  run: Pick<Run, 'name'> & { readonly samples: readonly Sample[] },
  runs: readonly (Pick<Run, 'name'> & { readonly samples: readonly Sample[] })[],
  gap: Gap,
): number[] | undefined {
  const reference = runs.find(({ name }) => name === REFERENCE)
  if (reference === undefined || run === reference) return undefined
  return run.samples.flatMap((sample, round) => {
    const other = reference.samples[round]
    return other === undefined ? [] : [sample[gap] / other[gap]]
  })
}

/** Gaps of a switch that starts as fast each time differ by less than this share. */
const STEADY = 0.5

function caveats({ runs, calibrations }: Results): string[] {
  const unsteady = runs.flatMap(({ name, samples }) => {
    const differ = spread(of(samples, 'switchGapMs'))
    if (!(differ > STEADY)) return []
    return `unsteady: (a) of ${name} differs by ${(100 * differ).toFixed(0)} % of its median from round to round`
  })
  return [...slowed(calibrations, ["switch's", "guests'"]), ...unsteady]
}

function of(samples: readonly Sample[], gap: Gap): number[] {
  return samples.map((sample) => sample[gap])
}

function range(values: readonly number[], digits: number): string {
  return `${Math.min(...values).toFixed(digits)}-${Math.max(...values).toFixed(digits)}`
}
