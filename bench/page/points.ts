import type { Plot, Point } from '../section.js'

/** The plot without what is no number: nothing was measured there. */
export function drawable(plot: Plot): Plot {
  const finite = ({ x, ...rest }: Point) => [x, ...extent(rest)].every(Number.isFinite)
  const series = plot.series.map(({ name, points }) => ({ name, points: points.filter(finite) }))
  return { ...plot, series }
}

/** Everything of a point that has to fit. */
export function extent({ y, low = y, high = y }: Omit<Point, 'x'>): number[] {
  return [low, y, high]
}
