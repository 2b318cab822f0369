import type { Contender } from './contender.js'
import type { Sample } from './sample.js'
import type { Ring } from './setup.js'

/** What is measured with everything else equal: rows of one table. */
export interface Scenario {
  readonly ring: Ring
  readonly frameBytes: number
}

/** All samples of one contender in one scenario; entry `r` was taken in round `r`. */
export interface Run extends Scenario {
  readonly name: string
  readonly samples: Sample[]
}

/** One sample to take. */
export interface Turn {
  readonly round: number
  readonly contender: Contender
  readonly run: Run
}

/**
 * The order of samples: in each round every contender has its turn in every scenario. What drifts
 * with time so meets them all alike, and a run that is cut short has whole rounds.
 */
export function planTurns(
  contenders: readonly Contender[],
  scenarios: readonly Scenario[],
  rounds: number,
): Turn[] {
  const entries = scenarios.flatMap((scenario) =>
    contenders.map((contender) => ({
      contender,
      run: { ...scenario, name: contender.name, samples: [] },
    })),
  )
  return Array.from({ length: rounds }, (_, round) =>
    entries.map((entry) => ({ round, ...entry })),
  ).flat()
}
