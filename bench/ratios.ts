import { RATIOS } from './contender.js'
import type { Run } from './plan.js'
import { median } from './statistics.js'

/** How two contenders compare in one scenario. */
export interface Ratio {
  /** `a/b@ring@frameBytes`. */
  readonly key: string
  /** How many times as many frames `a` switches as `b`: the median over rounds of the ratio within each round. */
  readonly ratio: number
  /** The ratio of each round. */
  readonly rounds: readonly number[]
  /** The same of the cycles a frame costs, `b`'s over `a`'s: it holds where the generator limits the rate. */
  readonly byCycles: number
}

export function ratiosOf(runs: readonly Run[]): Ratio[] {
  return runs.flatMap((a) =>
    runs
      .filter((b) => RATIOS.some(([over, under]) => over === a.name && under === b.name))
      .filter((b) => b.ring === a.ring && b.frameBytes === a.frameBytes)
      .map((b) => ratioOf(a, b)),
  )
}

function ratioOf(a: Run, b: Run): Ratio {
  const pairs = a.samples.flatMap((mine, round) => {
    const other = b.samples[round]
    return other === undefined ? [] : [{ mine, other }]
  })
  const rounds = pairs.map(({ mine, other }) => mine.mpps / other.mpps)
  return {
    key: `${a.name}/${b.name}@${a.ring}@${a.frameBytes}`,
    ratio: median(rounds),
    rounds,
    byCycles: median(pairs.map(({ mine, other }) => other.cyclesPerPacket / mine.cyclesPerPacket)),
  }
}
