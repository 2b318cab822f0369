const GOLDEN = 0.618_033_988_75

/** A step that meets all of `count` things before it meets one again, each far from the one before. */
export function coprimeStep(count: number): number {
  let step = Math.max(1, Math.round(count * GOLDEN))
  while (divisor(step, count) !== 1) step++
  return step
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b)
}
