import type { Effort } from './section.js'

/** Seconds that the whole bench may take. */
export const BUDGET: Readonly<Record<Effort, number>> = {
  quick: 120,
  usual: 900,
  full: Number.POSITIVE_INFINITY,
}

/** A full run has no end that it must keep; on the machine of `docs/benchmarks` it is expected to take no more than this. */
export const FULL_SECONDS = 45 * 60

/** Of which so many are for the start, the end, and what the machine is. */
export const RESERVE = 5
