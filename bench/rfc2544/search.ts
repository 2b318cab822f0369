/** What a trial at a rate came to, as far as the search needs to know. */
export interface Outcome {
  /** Frames lost over frames offered. */
  readonly lossRatio: number
  /** Share of the rate that was really offered. */
  readonly pace: number
}

export interface SearchRules {
  /** Rate that is certainly too high: the search is below it. */
  readonly highest: number
  /** The search ends when the lowest rate that failed is above the highest that passed by no more than this share of it. */
  readonly resolution: number
  /** An odd number of trials at each rate at most: the majority decides. */
  readonly trials: number
}

export interface Found {
  /** Highest rate that passed; 0 when none did. */
  readonly framesPerSecond: number
  /** Lowest rate that failed above it. */
  readonly failed: number
  /** What failed there: the switch lost frames, or the tester could not send them in time. */
  readonly limit: 'switch' | 'tester'
}

/** A tester that offers less than this share of a rate does not offer that rate. */
const LEAST_PACE = 0.98

/** A rate below this share of the highest is none. */
const LOWEST = 1 / 1024

/**
 * Searches the highest rate at which no more than a share of the frames is lost, by bisection as RFC 2544 §26.1.
 *
 * One trial that loses frames does not end it, because on a virtual machine any trial can meet with a pause that is not
 * the switch's: a rate passes when more than half of its trials do (as RFC 9971 with an exceed ratio of one half). Trials at
 * a rate are kept and serve the searches for all shares, so that a lower share never finds a higher rate.
 */
export class Search<Trial extends Outcome> {
  readonly #run: (framesPerSecond: number) => Promise<Trial>
  readonly #rules: SearchRules
  readonly #trials = new Map<number, Trial[]>()

  constructor(run: (framesPerSecond: number) => Promise<Trial>, rules: SearchRules) {
    this.#run = run
    this.#rules = rules
  }

  /** All trials, in the order of their rates. */
  get trials(): { readonly framesPerSecond: number; readonly trials: readonly Trial[] }[] {
    return [...this.#trials]
      .sort(([a], [b]) => a - b)
      .map(([framesPerSecond, trials]) => ({ framesPerSecond, trials }))
  }

  async find(lossRatio: number): Promise<Found> {
    const { highest, resolution } = this.#rules
    let passed = 0
    let failed = highest
    let limit: Found['limit'] = 'switch'
    while (failed - passed > resolution * failed && failed > LOWEST * highest) {
      const rate = (passed + failed) / 2
      const verdict = await this.#verdict(rate, lossRatio)
      if (verdict === 'pass') {
        passed = rate
      } else {
        failed = rate
        limit = verdict
      }
    }
    return { framesPerSecond: passed, failed, limit }
  }

  async #verdict(rate: number, lossRatio: number): Promise<'pass' | Found['limit']> {
    const majority = (this.#rules.trials + 1) / 2
    const trials = this.#trials.get(rate) ?? []
    this.#trials.set(rate, trials)
    for (;;) {
      const tooSlow = trials.filter(({ pace }) => pace < LEAST_PACE).length
      const lossy = trials.filter(
        (trial) => trial.pace >= LEAST_PACE && trial.lossRatio > lossRatio,
      ).length
      if (trials.length - tooSlow - lossy >= majority) return 'pass'
      if (tooSlow + lossy >= majority) return tooSlow > lossy ? 'tester' : 'switch'
      trials.push(await this.#run(rate))
    }
  }
}
