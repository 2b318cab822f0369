import type { Contender } from './contender.js'
import { isOfKernel, type LoadName } from './load.js'
import type { Sample } from './sample.js'
import type { Ring } from './setup.js'

/** What is measured with everything else equal: rows of one table. */
export interface Scenario {
  /** `none` where the kernel is between the guests. */
  readonly ring: Ring | 'none'
  readonly frameBytes: number
  /** What the guests send. Default: what the contender is for. */
  readonly load?: LoadName
  /** Queue pairs of each guest. Default 1. */
  readonly queuePairs?: number
  /** Most frames the switch takes in one burst. Default: that of all. */
  readonly burst?: number
  /** CPUs of the switch's lcores. Default: that of the switch alone. */
  readonly lcoreCpus?: readonly number[]
}

/** What takes turns: a contender in a scenario. */
export interface Entry {
  readonly contender: Contender
  readonly scenario: Scenario
}

/** All samples of one contender in one scenario; entry `r` was taken in round `r`. */
export interface Run extends Scenario {
  readonly name: string
  readonly samples: Sample[]
}

/** One sample to take. */
export interface Turn extends Entry {
  readonly round: number
  readonly run: Run
}

/** Every contender in every scenario. Those without virtqueues are in one of each length of frames. */
export function entriesOf(
  contenders: readonly Contender[],
  scenarios: readonly Scenario[],
): Entry[] {
  const [first] = scenarios
  return scenarios.flatMap((scenario) =>
    contenders.flatMap((contender): Entry[] => {
      if (!isOfKernel(contender.load)) return [{ contender, scenario }]
      return scenario.ring === first?.ring
        ? [{ contender, scenario: { ...scenario, ring: 'none' } }]
        : []
    }),
  )
}

/**
 * The order of samples: in each round every contender has its turn in every scenario. What drifts
 * with time so meets them all alike, and a run that is cut short has whole rounds.
 */
export function planTurns(entries: readonly Entry[], rounds: number): Turn[] {
  const turns = entries.map(({ contender, scenario }) => ({
    contender,
    scenario,
    run: { ...scenario, name: contender.name, samples: [] },
  }))
  return Array.from({ length: rounds }, (_, round) =>
    turns.map((turn) => ({ round, ...turn })),
  ).flat()
}
