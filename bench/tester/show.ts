import { figureOf } from '../figure.js'
import type { Figure, Plot, Point } from '../section.js'
import { extremes, median } from '../statistics.js'
import type { Latency } from './latency.js'

/** Latencies of one switch, or of one in one situation, of each round. */
export interface LatencyRun {
  readonly name: string
  readonly rounds: readonly Latency[]
}

export type Quantile = 'p50' | 'p99' | 'p999'

export function latencyPlot(title: string, runs: readonly LatencyRun[]): Plot {
  return {
    kind: 'plot',
    title: `${title}, medians of rounds`,
    x: { label: 'percentile of frames', scale: 'percentile' },
    y: { label: 'µs', scale: 'log' },
    series: runs.map(({ name, rounds }) => ({ name, points: curveOf(rounds) })),
  }
}

/** At each percentile the median over rounds, where all rounds have it. */
function curveOf([first, ...others]: readonly Latency[]): Point[] {
  if (first === undefined) return []
  return first.curve.flatMap(([x, microseconds], i) => {
    const all = [microseconds, ...others.flatMap(({ curve }) => curve[i]?.[1] ?? [])]
    return all.length > others.length ? [{ x, y: median(all), ...extremes(all) }] : []
  })
}

export function latencyFigures(
  runs: readonly LatencyRun[],
  quantiles: readonly Quantile[],
): Figure[] {
  return runs.flatMap(({ name, rounds }) =>
    quantiles.map((quantile) => {
      const values = rounds.map((round) => round[quantile])
      return figureOf(`${name} ${quantile}`, values, 'µs', 'less')
    }),
  )
}
