import { median } from '../statistics.js'
import type { TrialRequest } from './tester.js'
import type { Trial } from './trial.js'

/** Length of a slice: most have no stop of a virtual CPU in them, where a host stops it a few hundred times a second. */
export const SHORT_MS = 1

/** Stops of a host are longer than this, and a look of the tester at its rings is shorter. */
const AWAY_MS = 0.02

/** Frames are in the rings, or gone. */
const LINGER_MS = 5

/** A slice of fewer frames has no 99th percentile worth the name. */
const LEAST_FRAMES = 100

/** The 99th percentile of latency, of each of many slices: plain data for the JSON. */
export interface ShortSlices {
  /** Microseconds: the median over slices of the 99th percentile of each; NaN, `null` in JSON, when none counts. */
  readonly p99: number
  /** Slices that count. */
  readonly slices: number
  /** Those that do not: the tester was away for longer than a look takes, by its time stamp counter; */
  readonly testerAway: number
  /** the switch's thread waited for its CPU, by the kernel's count; */
  readonly switchWaited: number
  /** too few frames came back. */
  readonly empty: number
}

/**
 * Takes slices of a millisecond. A percentile over a long time is that of the worst hundredth of the time, so of the stops of
 * the host's CPUs; the median over short slices is that of a slice without one, as long as most slices have none. Stops of the
 * tester's CPU are seen and those slices do not count; stops of the switch's CPU cannot be seen from outside, and stay in.
 */
export async function shortSlices(
  take: (request: TrialRequest) => Promise<Trial>,
  framesPerSecond: number,
  count: number,
): Promise<ShortSlices> {
  const trials: Trial[] = []
  for (let i = 0; i < count; i++) {
    trials.push(await take({ framesPerSecond, milliseconds: SHORT_MS, lingerMs: LINGER_MS }))
  }
  return shortSlicesOf(trials)
}

export type ShortTrial = Pick<Trial, 'longestPauseMs' | 'switchWaitedMs'> & {
  readonly latency: Pick<Trial['latency'], 'count' | 'quantile'>
}

/** What a slice came to has no say in whether it counts. */
export function shortSlicesOf(trials: readonly ShortTrial[]): ShortSlices {
  const present = trials.filter(({ longestPauseMs }) => longestPauseMs <= AWAY_MS)
  const running = present.filter(({ switchWaitedMs }) => switchWaitedMs <= AWAY_MS)
  const counting = running.filter(({ latency }) => latency.count >= LEAST_FRAMES)
  return {
    p99: median(counting.map(({ latency }) => latency.quantile(0.99))),
    slices: counting.length,
    testerAway: trials.length - present.length,
    switchWaited: present.length - running.length,
    empty: running.length - counting.length,
  }
}

/** Share of the slices that meet a stop of the switch's CPU, when stops come at random. */
export function shareWithStop(stopsPerSecond: number): number {
  return 1 - Math.exp((-stopsPerSecond * SHORT_MS) / 1000)
}
