import type { Contender } from '../contender.js'
import type { SharedSetup } from '../sockets.js'
import { latencyOf } from '../tester/latency.js'
import { type Scene, withScene } from '../tester/scene.js'
import { shortSlices } from '../tester/short-slices.js'
import type { SlicedTrial } from '../tester/trials.js'
import {
  GOALS,
  type LatencyRecord,
  LOADS,
  type Load,
  type Rules,
  SLICED,
  type TrialRecord,
  type Turn,
} from './result.js'
import { Search } from './search.js'

/** Room above what a switch let through when it was offered too much. */
const HEADROOM = 1.25

/** The load that is the same for all. */
const SAME_RATE = 1_000_000

/** Searches the rates of one switch, and measures its latency at shares of the first. */
export function takeTurn(
  contender: Contender,
  shared: SharedSetup,
  rules: Rules,
  signal: AbortSignal,
): Promise<Omit<Turn, 'roundTrip'>> {
  return withScene(contender.start, shared, signal, async (scene) => {
    const { trialMs, trials, resolution } = rules
    const overload = await scene.slicedTrial({ framesPerSecond: 0, milliseconds: trialMs })
    if (overload.received === 0) {
      throw new Error(`no frames went through ${contender.name} on ${shared.ring} rings`)
    }
    const search = new Search(
      (framesPerSecond) => scene.slicedTrial({ framesPerSecond, milliseconds: trialMs }),
      { highest: HEADROOM * overload.receivedPerSecond, trials, resolution },
    )
    const rates = {
      '0.001%': await search.find(GOALS['0.001%']),
      zero: await search.find(GOALS.zero),
    }
    const latency: Partial<Record<Load, LatencyRecord>> = {}
    for (const load of LOADS) {
      const record = await latencyAt(scene, load, rates.zero.framesPerSecond, rules)
      if (record !== undefined) latency[load] = record
    }
    return {
      overload: overload.receivedPerSecond,
      rates,
      trials: search.trials.flatMap((one) => one.trials.map(recordOf)),
      latency,
    }
  })
}

function rateOf(load: Load, zeroLoss: number): number {
  return load === '1Mpps' ? SAME_RATE : (Number.parseInt(load, 10) / 100) * zeroLoss
}

async function latencyAt(
  scene: Scene,
  load: Load,
  zeroLoss: number,
  { latencyMs: milliseconds, shortSlices: count = 0 }: Rules,
): Promise<LatencyRecord | undefined> {
  const framesPerSecond = rateOf(load, zeroLoss)
  if (framesPerSecond === 0) return undefined
  const trial = await scene.slicedTrial({ framesPerSecond, milliseconds })
  const latency = latencyOf(trial)
  if (latency === undefined) return undefined
  const short =
    load === SLICED && count > 0 && (await shortSlices(scene.trial, framesPerSecond, count))
  return {
    ...latency,
    framesPerSecond,
    lossRatio: trial.lossRatio,
    testerP99: trial.lateness.quantile(0.99),
    unjudged: trial.unjudged / trial.received,
    slices: trial.slices,
    putAside: trial.putAside,
    disturbed: trial.disturbed,
    ...(short && { short }),
  }
}

function recordOf(trial: SlicedTrial): TrialRecord {
  const { framesPerSecond, lossRatio, pace, slices, putAside, disturbed } = trial
  return { framesPerSecond, lossRatio, pace, slices, putAside, disturbed }
}
