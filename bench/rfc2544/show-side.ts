import { figureOf } from '../figure.js'
import type { Exhibit, Figure } from '../section.js'
import { median } from '../statistics.js'
import { SIDE_LOADS, type SideBySide, type SideLoad, type SideSlice } from './side-by-side.js'

/** What the others are compared with. */
const REFERENCE = 'testpmd-io'
/** A slice does not count in which the switch's thread waited for its CPU for more than this share: others had it. */
const WAITED = 0.02
/** Fewer slices say nothing. */
const LEAST = 10

const QUANTILES = ['p50', 'p90', 'p99', 'p999'] as const

/** Latency of all at the same distance, and its ratio to testpmd's. */
export function showSide({ runs, moved }: SideBySide): Exhibit[] {
  const rows = SIDE_LOADS.flatMap((load) =>
    distancesOf(runs.flatMap(({ slices }) => slices)).flatMap((distance) => {
      const reference = runs.find(({ name }) => name === REFERENCE)
      const base = counting(reference?.slices ?? [], load, distance)
      return runs.flatMap(({ name, slices }) => {
        const mine = counting(slices, load, distance)
        if (mine.length < LEAST) return []
        const ratio =
          name === REFERENCE || base.length < LEAST ? '' : (p99(mine) / p99(base)).toFixed(2)
        return [
          [
            `${name}, ${load.replace('%', ' %')}`,
            distance.toFixed(0),
            String(mine.length),
            (median(mine.map(({ framesPerSecond }) => framesPerSecond)) / 1e6).toFixed(2),
            ...QUANTILES.map((quantile) => median(mine.map((one) => one[quantile])).toFixed(2)),
            ratio,
          ],
        ]
      })
    }),
  )
  if (rows.length === 0) return []
  const head = ['switch, load', 'ns apart', 'slices', 'Mpps', 'p50', 'p90', 'p99', 'p99.9']
  return [
    {
      kind: 'table',
      title: 'Latency in µs, all in turns at the same distance of the CPUs: medians over slices',
      rows: [[...head, `p99 to ${REFERENCE}`], ...rows],
    },
    {
      kind: 'note',
      text:
        `50 %: of the switch's own rate without loss at that distance. ${moved} turns do not count because the host moved the CPUs ` +
        `meanwhile; nor do slices in which the switch's thread waited for its CPU for more than ${100 * WAITED} % of the time.`,
    },
  ]
}

/** At the distance that most slices have. */
export function sideFigures(suffix: string, { runs }: SideBySide): Figure[] {
  const all = runs.flatMap(({ slices }) => slices)
  const sizes = distancesOf(all).map(
    (distance) => [all.filter((one) => one.distance === distance).length, distance] as const,
  )
  const [, most = 0] = sizes.sort(([a], [b]) => b - a)[0] ?? []
  return runs.flatMap(({ name, slices }) =>
    SIDE_LOADS.flatMap((load) => {
      const mine = counting(slices, load, most)
      if (mine.length < LEAST) return []
      const key = `${name}@${suffix} p99 side by side at ${load}`
      return [figureOf(key, [p99(mine)], 'µs', 'less')]
    }),
  )
}

function p99(slices: readonly SideSlice[]): number {
  return median(slices.map((one) => one.p99))
}

function counting(slices: readonly SideSlice[], load: SideLoad, distance: number): SideSlice[] {
  return slices.filter(
    (one) => one.load === load && one.distance === distance && one.waited <= WAITED,
  )
}

/** The nearest first. */
function distancesOf(slices: readonly SideSlice[]): number[] {
  return [...new Set(slices.map(({ distance }) => distance))].sort((a, b) => a - b)
}
