import { counted } from '../../src/switch/counted.js'
import { percent } from '../percent.js'
import type { Exhibit } from '../section.js'
import { median } from '../statistics.js'
import { latencyPlot } from '../tester/show.js'
import { type Case, type GcResult, type GcRound, LATE_US, type Pauses } from './result.js'
import { differenceOf, verdict } from './verdict.js'

/** Share of frames without a verdict that is worth saying. */
const MANY = 0.2

export function show(result: GcResult): Exhibit[] {
  const { framesPerSecond, seconds, callsPerSecond } = result
  const rounds = result.runs[0]?.rounds.length ?? 0
  const describe = (name: Case) =>
    name === 'quiet' ? name : `${name}, ${callsPerSecond[name]} a second`
  const runs = result.runs.map((run) => ({ ...run, title: describe(run.name) }))
  const quiet = runs.find(({ name }) => name === 'quiet')?.rounds ?? []
  const many = runs.filter((run) => median(run.rounds.map(({ unjudged }) => unjudged)) > MANY)
  return [
    {
      kind: 'table',
      title: `Latency of vswitch at ${framesPerSecond / 1e6} Mpps, µs`,
      rows: [
        [
          'control plane',
          'p50',
          'p99',
          'p99.9',
          'max',
          `later than ${LATE_US} µs`,
          'p99.9 less that of quiet',
          'calls',
        ],
        ...runs.map(({ name, title, rounds: its }) => [
          title,
          ...latencyCells(its),
          name === 'quiet' ? '' : differenceOf(quiet, its),
          middle(its, ({ calls }) => calls).toFixed(0),
        ]),
      ],
    },
    {
      kind: 'table',
      title: 'Garbage collections meanwhile',
      rows: [
        ['control plane', ...['lcore', 'main'].flatMap((thread) => pauseHead(thread))],
        ...runs.map(({ title, rounds: its }) => [
          title,
          ...pauseCells(
            its.map(({ lcore }) => lcore),
            seconds,
          ),
          ...pauseCells(
            its.map(({ main }) => main),
            seconds,
          ),
        ]),
      ],
    },
    latencyPlot(
      'Latency while the control plane is busy',
      runs.map(({ title, rounds: its }) => ({ name: title, rounds: its })),
    ),
    ...verdict(result),
    {
      kind: 'note',
      text:
        `Medians of ${counted(rounds, 'round')} of ${seconds} s, the longest pause of all. The lcore has its CPU to itself; the rest ` +
        'of vswitch, and who calls it, are on the CPU of the tester.',
    },
    ...many.map(({ title }) => ({
      kind: 'note' as const,
      text: `${title}: the tester was away so often that more than ${100 * MANY} % of the frames say nothing.`,
      caveat: true,
    })),
  ]
}

function middle(rounds: readonly GcRound[], of: (round: GcRound) => number): number {
  return median(rounds.map(of))
}

function latencyCells(rounds: readonly GcRound[]): string[] {
  const times = (['p50', 'p99', 'p999', 'max'] as const).map((key) =>
    middle(rounds, (round) => round[key]).toFixed(1),
  )
  return [...times, percent(middle(rounds, ({ late }) => late))]
}

function pauseHead(thread: string): string[] {
  return [`${thread}: a second`, 'longest, ms', 'of the time']
}

function pauseCells(pauses: readonly Pauses[], seconds: number): string[] {
  return [
    (median(pauses.map(({ count }) => count)) / seconds).toFixed(1),
    Math.max(...pauses.map(({ longestMs }) => longestMs)).toFixed(2),
    percent(median(pauses.map(({ share }) => share))),
  ]
}
