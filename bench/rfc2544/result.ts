import type { Stops } from '../calibration/worker.js'
import type { Ring } from '../setup.js'
import type { Latency } from '../tester/latency.js'
import type { ShortSlices } from '../tester/short-slices.js'
import type { Found } from './search.js'
import type { SideBySide } from './side-by-side.js'

/** Losses that are searched for: none, and one frame in 100,000. */
export const GOALS = { zero: 0, '0.001%': 0.00001 } as const
export type Goal = keyof typeof GOALS

/** Loads at which latency is measured: shares of the zero-loss rate in percent, and one rate that is the same for all. */
export const LOADS = ['10%', '50%', '90%', '1Mpps'] as const
export type Load = (typeof LOADS)[number]

export interface Rfc2544Result {
  readonly rules: Rules
  /** What the switch's CPU does to any thread; older reports do not say. */
  readonly stops?: Stops
  readonly runs: readonly Rfc2544Run[]
  /** Where there was time for it. */
  readonly sideBySide?: SideBySide
}

/** The load at which latency is measured in short slices too. */
export const SLICED: Load = '50%'

/** How it was measured. */
export interface Rules {
  readonly ring: Ring
  readonly frameBytes: number
  readonly rounds: number
  /** Time in which frames are offered in each trial of the search. */
  readonly trialMs: number
  /** Trials at each rate at most; the majority decides. */
  readonly trials: number
  readonly resolution: number
  /** The same for the latency at one load. */
  readonly latencyMs: number
  /** Slices of a millisecond at {@link SLICED}; older reports have none. */
  readonly shortSlices?: number
  /** Time for turns of all side by side; older reports have none. */
  readonly sideSeconds?: number
}

/** A switch, over all rounds. */
export interface Rfc2544Run {
  readonly name: string
  readonly rounds: readonly Turn[]
}

/** One switch in one round. Rates are frames a second, both directions together. */
export interface Turn {
  /** What came back when as many frames were offered as the rings took. */
  readonly overload: number
  readonly rates: Readonly<Record<Goal, Found>>
  readonly trials: readonly TrialRecord[]
  readonly latency: Readonly<Partial<Record<Load, LatencyRecord>>>
  /** Nanoseconds for a cache line from one CPU to the other and back: the longer of before and after. */
  readonly roundTrip: number
}

/** One trial of the search. */
export interface TrialRecord {
  readonly framesPerSecond: number
  readonly lossRatio: number
  readonly pace: number
  /** Parts of the trial; those that were taken again, and those that count although they were disturbed. */
  readonly slices: number
  readonly putAside: number
  readonly disturbed: number
}

export interface LatencyRecord extends Latency {
  readonly framesPerSecond: number
  readonly lossRatio: number
  /** The tester's own part: the 99th percentile of how late it offered frames, in microseconds. */
  readonly testerP99: number
  /** Share of the frames that are left out, because the tester was away when they came or fell due. */
  readonly unjudged: number
  readonly slices: number
  readonly putAside: number
  readonly disturbed: number
  /** At {@link SLICED}. */
  readonly short?: ShortSlices
}
