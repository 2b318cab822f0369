/** The middle of the values; NaN when there are none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}

/** The least and the greatest, as a figure and a point of a plot have them. */
export function extremes(values: readonly number[]): { low: number; high: number } {
  return { low: Math.min(...values), high: Math.max(...values) }
}

/** Distance of the extremes as a share of the median. */
export function spread(values: readonly number[]): number {
  const { low, high } = extremes(values)
  return (high - low) / median(values)
}

/** What a share of the values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = Math.ceil(share * sorted.length) - 1
  return sorted[Math.max(0, at)] ?? Number.NaN
}
