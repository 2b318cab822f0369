import type { Effort } from './section.js'

/** Seconds that the whole bench may take. */
export const BUDGET: Readonly<Record<Effort, number>> = {
  quick: 120,
  usual: 900,
  full: Number.POSITIVE_INFINITY,
}

/** Of which so many are for the start, the end, and what the machine is. */
export const RESERVE = 5
