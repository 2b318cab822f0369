import { isFar } from './calibration/placement.js'
import type { Run } from './plan.js'
import type { Sample } from './sample.js'

/** Whether the CPUs were far apart in a sample. Older reports do not say: all their samples count. */
type Placed = { readonly far?: boolean }

/** Says of each sample whether the CPUs were far apart in it, by the shortest distance that was seen at all. */
export function placed(runs: readonly Run[], seen: readonly number[]): Run[] {
  const samples = runs.flatMap((run) => run.samples)
  const shortest = Math.min(...seen, ...samples.map(({ roundTrip }) => roundTrip))
  const place = (sample: Sample) => ({ ...sample, far: isFar(sample.roundTrip, shortest) })
  return runs.map((run) => ({ ...run, samples: run.samples.map(place) }))
}

/** The samples that a figure is made of: those with the CPUs near each other; where there are none, the others. */
export function counting<T extends Placed>(samples: readonly T[]): readonly T[] {
  const near = samples.filter(({ far }) => far !== true)
  return near.length > 0 ? near : samples
}

/** Rates of the samples that count. */
export function ratesOf(samples: readonly (Placed & { readonly mpps: number })[]): number[] {
  return counting(samples).map(({ mpps }) => mpps)
}

/** Samples of two runs by the round, where both count and were of the same distance. */
export function pairsOf<T extends Placed>(a: readonly T[], b: readonly T[]): (readonly [T, T])[] {
  const same = a.flatMap((mine, round) => {
    const other = b[round]
    return other !== undefined && (mine.far ?? false) === (other.far ?? false)
      ? [[mine, other] as const]
      : []
  })
  const near = same.filter(([mine]) => mine.far !== true)
  return near.length > 0 ? near : same
}
