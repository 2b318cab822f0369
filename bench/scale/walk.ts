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

/** Repeatable numbers below 2 to the 32nd. */
export function numbers(): () => number {
  let state = 1
  return () => {
    state = (Math.imul(state, 0x41a7_3ab5) + 0x3c6e_f35f) | 0
    return (state ^ (state >>> 15)) >>> 0
  }
}
