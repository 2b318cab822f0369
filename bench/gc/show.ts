import type { Exhibit, Figure } from '../section.js'
import { extremes, median } from '../statistics.js'
import type { Case, GcResult, GcRound } from './result.js'

/** Share of frames without a verdict that is worth saying. */
const MANY = 0.2

export function show({ framesPerSecond, seconds, callsPerSecond, runs }: GcResult): Exhibit[] {
  const rounds = runs[0]?.rounds.length ?? 0
  const describe = (name: Case) => {
    if (name === 'quiet') return name
    return `${name}, ${callsPerSecond[name]} a second`
  }
  const many = runs.filter((run) => median(run.rounds.map(({ unjudged }) => unjudged)) > MANY)
  return [
    {
      kind: 'table',
      title: `vswitch at ${framesPerSecond / 1e6} Mpps: latency in µs, and garbage collections of its two isolates`,
      rows: [
        [
          'control plane',
          'p50',
          'p99',
          'p99.9',
          'max',
          'calls',
          'main GCs',
          'ms',
          'lcore GCs',
          'ms',
        ],
        ...runs.map((run) => cells(describe(run.name), run.rounds)),
      ],
    },
    {
      kind: 'plot',
      title: 'Latency while the control plane is busy, first round',
      x: { label: 'percentile of frames', scale: 'percentile' },
      y: { label: 'µs', scale: 'log' },
      series: runs.map((run) => ({
        name: describe(run.name),
        points: (run.rounds[0]?.curve ?? []).map(([x, y]) => ({ x, y })),
      })),
    },
    {
      kind: 'note',
      text:
        `Medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${seconds} s. The lcore has its CPU to itself; the rest of vswitch, ` +
        'and who calls it, are on the CPU of the tester.',
    },
    ...many.map((run) => ({
      kind: 'note' as const,
      text: `${describe(run.name)}: the tester was away so often that more than ${100 * MANY} % of the frames say nothing.`,
      caveat: true,
    })),
  ]
}

function cells(name: string, rounds: readonly GcRound[]): string[] {
  const middle = (of: (round: GcRound) => number) => median(rounds.map(of))
  const times = (['p50', 'p99', 'p999', 'max'] as const).map((key) =>
    middle((round) => round[key]).toFixed(1),
  )
  return [
    name,
    ...times,
    middle(({ calls }) => calls).toFixed(0),
    middle(({ main }) => main.count).toFixed(0),
    middle(({ main }) => main.milliseconds).toFixed(1),
    middle(({ lcore }) => lcore.count).toFixed(0),
    middle(({ lcore }) => lcore.milliseconds).toFixed(1),
  ]
}

export function figures({ runs }: GcResult): Figure[] {
  return runs.flatMap(({ name, rounds }) =>
    (['p99', 'p999'] as const).map((key) => {
      const values = rounds.map((round) => round[key])
      return {
        key: `${name} ${key}`,
        value: median(values),
        ...extremes(values),
        unit: 'µs',
        better: 'less' as const,
      }
    }),
  )
}
