import type { Tester, TrialRequest } from './tester.js'
import { sumOfTrials, type Trial } from './trial.js'

/** Length of the parts a trial is made of. */
const SLICE_MS = 25

/** A slice is disturbed when the switch waited for its CPU for longer than this in all, */
const WAITED_MS = 0.05
/** or the tester was away for longer than this at once: a ring's worth of frames at 10 Mpps. */
const PAUSE_MS = 0.05

/** Frames are in the rings, or gone: this is a hundred times as long as a full ring takes. */
const LINGER_MS = 50

/** Slices that are taken for each one that counts, at most. */
const MOST = 3

/** A trial made of slices. */
export interface SlicedTrial extends Trial {
  /** Slices it is made of. */
  readonly slices: number
  /** Slices that were taken and do not count, because something else had disturbed them. */
  readonly putAside: number
  /** Slices that count although they were disturbed: there were not enough others. */
  readonly disturbed: number
}

/**
 * A trial of a switch, made of slices of a fortieth of a second that nothing else disturbed. What a slice came to has no
 * say in whether it counts: only whether a CPU was given to others meanwhile.
 *
 * @param guard - rejects when a process ends or the bench is stopped before the work is done
 */
export async function slicedTrial(
  tester: Tester,
  { milliseconds, ...request }: TrialRequest,
  guard: <T>(work: Promise<T>) => Promise<T>,
): Promise<SlicedTrial> {
  const wanted = Math.max(1, Math.round(milliseconds / SLICE_MS))
  const slice = { lingerMs: LINGER_MS, ...request, milliseconds: milliseconds / wanted }
  const taken: Trial[] = []
  let undisturbed = 0
  while (undisturbed < wanted && taken.length < MOST * wanted) {
    const trial = await guard(tester.trial(slice))
    if (disturbance(trial) <= 1) undisturbed++
    taken.push(trial)
  }
  taken.sort((a, b) => disturbance(a) - disturbance(b))
  const used = taken.slice(0, wanted)
  return {
    ...sumOfTrials(used),
    slices: used.length,
    putAside: taken.length - used.length,
    disturbed: used.filter((trial) => disturbance(trial) > 1).length,
  }
}

/** Above 1 for a slice that does not count. */
function disturbance({ switchWaitedMs, longestPauseMs }: Trial): number {
  return Math.max(switchWaitedMs / WAITED_MS, longestPauseMs / PAUSE_MS)
}
