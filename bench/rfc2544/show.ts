import { counted } from '../../src/switch/counted.js'
import { figureOf } from '../figure.js'
import type { Exhibit, Figure } from '../section.js'
import { extremes, median } from '../statistics.js'
import { latencyPlot } from '../tester/show.js'
import {
  GOALS,
  type Goal,
  type LatencyRecord,
  LOADS,
  type Load,
  type Rfc2544Result,
  type Rfc2544Run,
} from './result.js'
import { shortFigures, showShort } from './short.js'
import { showSide, sideFigures } from './show-side.js'

/** CPUs that were this many times farther apart than the closest cannot be compared. */
const FAR = 1.5

/** Share of the parts of trials that may be disturbed before it is said. */
const MANY = 0.1

export function show(result: Rfc2544Result): Exhibit[] {
  const { rules, runs } = result
  const { ring, frameBytes, trialMs, trials, resolution } = rules
  const rounds = Math.max(0, ...runs.map((run) => run.rounds.length))
  const measured = LOADS.filter((load) => runs.some((run) => recordsAt(run, load).length > 0))
  return [
    {
      kind: 'table',
      title: `Highest rate, Mpps: ${ring} ring, ${frameBytes}-byte frames, both directions together`,
      rows: [
        ['switch', 'no loss', 'lowest', 'highest', '0.001 % loss', 'limit', 'overload'],
        ...runs.map((run) => rateCells(run)),
      ],
    },
    ...measured.map((load) => ({
      kind: 'table' as const,
      title: `Latency in µs ${describe(load)}`,
      rows: [
        ['switch', 'Mpps', 'p50', 'p99', 'p99.9', 'max', 'p99 lowest', 'p99 highest'],
        ...runs.map((run) => latencyCells(run, load)),
      ],
    })),
    ...(result.sideBySide === undefined ? [] : showSide(result.sideBySide)),
    ...showShort(result),
    ...measured.map((load) =>
      latencyPlot(
        `Latency ${describe(load)}`,
        runs.map((run) => ({ name: run.name, rounds: recordsAt(run, load) })),
      ),
    ),
    {
      kind: 'note',
      text:
        `Medians of ${counted(rounds, 'round')}. A trial offers frames for ${trialMs} ms; a rate passes when ` +
        `the majority of at most ${trials} trials does; the search ends within ${100 * resolution} %.`,
    },
    ...caveats(runs),
    ...LOADS.filter((load) => !measured.includes(load)).map((load) => ({
      kind: 'note' as const,
      text: `Latency ${describe(load)} was not measured: no rate passed.`,
      caveat: true,
    })),
  ]
}

export function figures({ rules, runs, sideBySide }: Rfc2544Result): Figure[] {
  const { ring, frameBytes } = rules
  const beside = sideBySide === undefined ? [] : sideFigures(`${ring}@${frameBytes}`, sideBySide)
  const alone = runs.flatMap((run) => {
    const key = `${run.name}@${ring}@${frameBytes}`
    const rates = (Object.keys(GOALS) as Goal[]).map((goal) =>
      figureOf(`${key} rate at ${goal} loss`, ratesOf(run, goal), 'Mpps', 'more'),
    )
    const latencies = LOADS.flatMap((load) =>
      (['p50', 'p99', 'p999'] as const).map((quantile) => {
        const values = recordsAt(run, load).map((record) => record[quantile])
        return figureOf(`${key} ${quantile} at ${load}`, values, 'µs', 'less')
      }),
    )
    return [...rates, ...latencies, ...shortFigures(key, run)].filter(({ value }) =>
      Number.isFinite(value),
    )
  })
  return [...alone, ...beside]
}

function spread(values: readonly number[]) {
  return { value: median(values), ...extremes(values) }
}

function ratesOf({ rounds }: Rfc2544Run, goal: Goal): number[] {
  return rounds.map(({ rates }) => rates[goal].framesPerSecond / 1e6)
}

function recordsAt({ rounds }: Rfc2544Run, load: Load): LatencyRecord[] {
  return rounds.flatMap(({ latency }) => latency[load] ?? [])
}

function rateCells(run: Rfc2544Run): string[] {
  const { value, low, high } = spread(ratesOf(run, 'zero'))
  const limits = new Set(run.rounds.map(({ rates }) => rates['0.001%'].limit))
  return [
    run.name,
    ...[value, low, high, median(ratesOf(run, '0.001%'))].map((rate) => rate.toFixed(2)),
    [...limits].join(', '),
    (median(run.rounds.map(({ overload }) => overload)) / 1e6).toFixed(2),
  ]
}

function latencyCells(run: Rfc2544Run, load: Load): string[] {
  const records = recordsAt(run, load)
  if (records.length === 0) return [run.name, ...Array<string>(7).fill('')]
  const middle = (key: 'p50' | 'p99' | 'p999' | 'max') => median(records.map((one) => one[key]))
  const { low, high } = spread(records.map(({ p99 }) => p99))
  return [
    run.name,
    (median(records.map(({ framesPerSecond }) => framesPerSecond)) / 1e6).toFixed(2),
    ...[middle('p50'), middle('p99'), middle('p999'), middle('max'), low, high].map((us) =>
      us.toFixed(1),
    ),
  ]
}

function describe(load: Load): string {
  return load === '1Mpps' ? 'at 1 Mpps' : `at ${load.replace('%', ' %')} of the rate without loss`
}

function caveats(runs: readonly Rfc2544Run[]): Exhibit[] {
  const texts: string[] = []
  const limited = runs.filter(({ rounds }) =>
    rounds.some(({ rates }) => Object.values(rates).some(({ limit }) => limit === 'tester')),
  )
  if (limited.length > 0) {
    texts.push(
      `${limited.map(({ name }) => name).join(', ')}: the tester could not send faster, so the switch may do more.`,
    )
  }
  const turns = runs.flatMap((run) => run.rounds.map((turn) => ({ ...turn, name: run.name })))
  const shortest = Math.min(...turns.map(({ roundTrip }) => roundTrip))
  const far = turns.filter(({ roundTrip }) => roundTrip > FAR * shortest)
  if (far.length > 0) {
    texts.push(
      `The two CPUs were up to ${(Math.max(...far.map(({ roundTrip }) => roundTrip)) / shortest).toFixed(1)} times as far apart as at ` +
        `best in ${far.length} of ${turns.length} turns (${[...new Set(far.map(({ name }) => name))].join(', ')}): ` +
        'rates and latencies of these are not comparable.',
    )
  }
  const disturbed = turns.filter(({ trials, latency }) => {
    const all = [...trials, ...Object.values(latency)]
    const sum = (key: 'disturbed' | 'slices') => all.reduce((total, one) => total + one[key], 0)
    return sum('disturbed') > MANY * sum('slices')
  })
  if (disturbed.length > 0) {
    texts.push(
      `In ${disturbed.length} of ${turns.length} turns others used the CPUs all the time, so that disturbed parts of trials count too.`,
    )
  }
  return texts.map((text) => ({ kind: 'note', text, caveat: true }))
}
