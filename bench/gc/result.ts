import type { Latency } from '../tester/latency.js'
import type { RATES } from './manager.js'

export const CASES = ['quiet', 'scrapes', 'calls', 'rules'] as const
export type Case = (typeof CASES)[number]

/** What goes into the JSON. */
export interface GcResult {
  readonly framesPerSecond: number
  /** Measured time of each case in each round. */
  readonly seconds: number
  /** What the manager tried. */
  readonly callsPerSecond: typeof RATES
  readonly runs: readonly { readonly name: Case; readonly rounds: readonly GcRound[] }[]
}

export interface GcRound extends Latency {
  /** Calls that were answered meanwhile. */
  readonly calls: number
  readonly lossRatio: number
  /** Share of the frames that are left out, because the tester was away when they came or fell due. */
  readonly unjudged: number
  /** Time for which the lcore's thread waited for its CPU. */
  readonly switchWaitedMs: number
  /** Garbage collections of the main thread's isolate, and of the lcore's. */
  readonly main: GcTotals
  readonly lcore: GcTotals
}

export interface GcTotals {
  readonly count: number
  readonly milliseconds: number
}
