/** A straight line through points. */
export interface Line {
  readonly slope: number
  readonly intercept: number
}

interface Dot {
  readonly x: number
  readonly y: number
}

/** The line with the least squares of the distances in y; NaN for fewer than two places in x. */
export function fitLine(points: readonly Dot[]): Line {
  const mean = (of: (point: Dot) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const x = mean((point) => point.x)
  const y = mean((point) => point.y)
  const slope = mean((point) => (point.x - x) * (point.y - y)) / mean((point) => (point.x - x) ** 2)
  return { slope, intercept: y - slope * x }
}

/** How much more it costs each time that x doubles: the slope of y against the binary logarithm of x. */
export function perDoubling(points: readonly Dot[]): number {
  return fitLine(points.map(({ x, y }) => ({ x: Math.log2(x), y }))).slope
}

/** The power of x that y grows with: 1 is linear, 2 quadratic. The slope of their logarithms. */
export function exponent(points: readonly Dot[]): number {
  return fitLine(points.map(({ x, y }) => ({ x: Math.log2(x), y: Math.log2(y) }))).slope
}
