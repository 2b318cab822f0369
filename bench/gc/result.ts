import type { Stops } from '../calibration/worker.js'
import type { Latency } from '../tester/latency.js'
import type { RATES } from './manager.js'

export const CASES = ['quiet', 'scrapes', 'calls', 'rules'] as const
export type Case = (typeof CASES)[number]

/** Microseconds: longer than a host mostly stops a CPU, shorter than a garbage collection mostly is. */
export const LATE_US = 100

/** What goes into the JSON. */
export interface GcResult {
  readonly framesPerSecond: number
  /** Measured time of each case in each round. */
  readonly seconds: number
  /** What the manager tried. */
  readonly callsPerSecond: typeof RATES
  /** What the switch's CPU does to any thread: the noise in which the rest is to be seen. */
  readonly stops: Stops
  readonly runs: readonly { readonly name: Case; readonly rounds: readonly GcRound[] }[]
}

export interface GcRound extends Latency {
  /** Calls that were answered meanwhile. */
  readonly calls: number
  /** Share of the frames that were later than {@link LATE_US}. */
  readonly late: number
  readonly lossRatio: number
  /** Share of the frames that are left out, because the tester was away when they came or fell due. */
  readonly unjudged: number
  /** Time for which the lcore's thread waited for its CPU. */
  readonly switchWaitedMs: number
  /** Garbage collections of the main thread's isolate, and of the lcore's. */
  readonly main: Pauses
  readonly lcore: Pauses
}

/** Of one isolate, in the measured time. */
export interface Pauses {
  readonly count: number
  readonly milliseconds: number
  readonly longestMs: number
  /** Of the time. */
  readonly share: number
}
