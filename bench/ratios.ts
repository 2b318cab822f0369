import { RATIOS } from './contender.js'
import { pairsOf } from './near.js'
import type { Run } from './plan.js'
import { median } from './statistics.js'

/** How two contenders compare in one scenario. */
export interface Ratio {
  /** `a/b@ring@frameBytes`. */
  readonly key: string
  /** How many times as many frames `a` switches as `b`: the median of {@link rounds}. */
  readonly ratio: number
  /** The ratio of each round in which the CPUs were as far apart for both. */
  readonly rounds: readonly number[]
  /** The same of the cycles a frame costs, `b`'s over `a`'s: it holds where the generator limits the rate. */
  readonly byCycles: number
}

export function ratiosOf(runs: readonly Run[]): Ratio[] {
  return runs.flatMap((a) =>
    runs
      .filter((b) => RATIOS.some(([over, under]) => over === a.name && under === b.name))
      .filter((b) => b.ring === a.ring && b.frameBytes === a.frameBytes)
      .map((b) => ratioOf(a, b))
      .filter(({ rounds }) => rounds.length > 0),
  )
}

function ratioOf(a: Run, b: Run): Ratio {
  const pairs = pairsOf(a.samples, b.samples)
  const rounds = pairs.map(([mine, other]) => mine.mpps / other.mpps)
  return {
    key: `${a.name}/${b.name}@${a.ring}@${a.frameBytes}`,
    ratio: median(rounds),
    rounds,
    byCycles: median(pairs.map(([mine, other]) => other.cyclesPerPacket / mine.cyclesPerPacket)),
  }
}
