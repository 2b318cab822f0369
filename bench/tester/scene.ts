import type { RunningSwitch } from '../contender.js'
import type { Setup } from '../setup.js'
import { type SharedSetup, withSockets } from '../sockets.js'
import { unlessAborted } from '../unless-aborted.js'
import { Tester, type TrialRequest } from './tester.js'
import { sumOfTrials, type Trial } from './trial.js'
import { type SlicedTrial, slicedTrial } from './trials.js'

/** Frames flow before anything is measured: code gets compiled, addresses are learnt. */
const WARM_UP = { framesPerSecond: 1_000_000, milliseconds: 500 }

/** More than any turn takes. */
const FOREVER_MS = 10_000_000

/** Longest time of one part. */
const PART_MS = 1000

/** A switch with the tester on both sides. */
export interface Scene<Switch extends RunningSwitch = RunningSwitch> {
  readonly running: Switch
  /** One stretch of time, whatever disturbs it: in parts, so that it can be stopped. */
  trial(request: TrialRequest): Promise<Trial>
  /** Made of parts that nothing else disturbed. */
  slicedTrial(request: TrialRequest): Promise<SlicedTrial>
}

/**
 * Starts tester and switch, warms up, and has them measured; ends them.
 *
 * @throws the signal's reason when it is aborted
 */
export function withScene<Switch extends RunningSwitch, Result>(
  start: (setup: Setup) => Switch | Promise<Switch>,
  shared: SharedSetup,
  signal: AbortSignal,
  measure: (scene: Scene<Switch>) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted()
  return withSockets(shared, async (setup) => {
    await using tester = new Tester(setup)
    await using running = await start(setup)
    const guard = <T>(work: Promise<T>) =>
      unlessAborted(Promise.race([work, tester.failed, running.failed]), signal)
    await guard(Promise.all([tester.started(), running.started()]))
    await guard(running.begin(FOREVER_MS))
    await guard(tester.trial(WARM_UP))
    await guard(tester.watch(running.pid, setup.cpus.switch))
    return await measure({
      running,
      trial: (request) => longTrial((part) => guard(tester.trial(part)), request),
      slicedTrial: (request) => slicedTrial(tester, request, guard),
    })
  })
}

async function longTrial(
  take: (request: TrialRequest) => Promise<Trial>,
  request: TrialRequest,
): Promise<Trial> {
  const parts: Trial[] = []
  for (let left = request.milliseconds; left > 0; left -= PART_MS) {
    parts.push(await take({ ...request, milliseconds: Math.min(left, PART_MS) }))
  }
  return sumOfTrials(parts)
}
