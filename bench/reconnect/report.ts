import type { Machine } from '../machine.js'
import { median, spread } from '../statistics.js'
import { table } from '../table.js'
import { slowed } from '../verdict.js'
import { REFERENCE } from './contender.js'
import type { Sample } from './measure.js'
import type { Results, Run } from './run.js'

/** What is told of every switch. */
const FIGURES = ['switchGapMs', 'guestGapMs', 'reconnectMs'] as const
type Figure = (typeof FIGURES)[number]

const TITLES: Readonly<Record<Figure, string>> = {
  switchGapMs: '(a) the switch is killed and started again: longest time without a frame',
  guestGapMs:
    '(b) the receiving guest is killed and started again: time to its first frame, its own start included',
  reconnectMs:
    '    of that, from the moment when its socket listens: what the switch has a part in',
}

/** What `--json` writes. */
export interface JsonReport {
  readonly machine: Machine
  readonly settings: {
    readonly rounds: number
    readonly rate: number
    readonly versions: Readonly<Record<string, string>>
  }
  readonly runs: readonly (Readonly<Record<Figure, number>> & {
    readonly name: string
    readonly rounds: readonly Sample[]
  })[]
  /** Median over rounds of the ratio within each round, by `a/b@figure`. */
  readonly ratios: Readonly<Record<string, number>>
  readonly calibrations: Results['calibrations']
  /** What to know before believing the numbers. */
  readonly caveats: readonly string[]
}

export function toJson(
  machine: Machine,
  settings: JsonReport['settings'],
  results: Results,
): JsonReport {
  const { runs, calibrations } = results
  return {
    machine,
    settings,
    runs: runs.map(({ name, samples }) => ({
      name,
      ...(Object.fromEntries(FIGURES.map((figure) => [figure, median(of(samples, figure))])) as {
        [key in Figure]: number
      }),
      rounds: samples,
    })),
    ratios: Object.fromEntries(
      FIGURES.flatMap((figure) =>
        runs.flatMap((run) => {
          const ratios = ratiosOf(run, runs, figure)
          return ratios && [[`${run.name}/${REFERENCE}@${figure}`, median(ratios)]]
        }),
      ).filter((entry) => entry !== undefined),
    ),
    calibrations,
    caveats: caveats(results),
  }
}

/** The tables, printed after the last sample. */
export function summarize(results: Results): string {
  const { runs } = results
  const rounds = runs[0]?.samples.length ?? 0
  const head = ['', 'median', 'lowest-highest', `to ${REFERENCE}`]
  const tables = FIGURES.map((figure) => {
    const rows = runs.map((run) => {
      const values = of(run.samples, figure)
      const ratios = ratiosOf(run, runs, figure)
      return [
        run.name,
        `${median(values).toFixed(0)} ms`,
        range(values, 0),
        ratios === undefined ? '' : `${median(ratios).toFixed(2)} (${range(ratios, 2)})`,
      ]
    })
    return `${TITLES[figure]}\n${table([head, ...rows])}`
  })
  const legend = `Medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}; ratios are paired round by round, less is better.`
  return [...tables, [legend, ...caveats(results).map((text) => `! ${text}`)].join('\n')].join(
    '\n\n',
  )
}

/** Gaps to the reference's, round by round; undefined for itself and where it was not measured. */
export function ratiosOf(run: Run, runs: readonly Run[], figure: Figure): number[] | undefined {
  const reference = runs.find(({ name }) => name === REFERENCE)
  if (reference === undefined || run === reference) return undefined
  return run.samples.flatMap((sample, round) => {
    const other = reference.samples[round]
    return other === undefined ? [] : [sample[figure] / other[figure]]
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

function of(samples: readonly Sample[], figure: Figure): number[] {
  return samples.map((sample) => sample[figure])
}

function range(values: readonly number[], digits: number): string {
  return `${Math.min(...values).toFixed(digits)}-${Math.max(...values).toFixed(digits)}`
}
