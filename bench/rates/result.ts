import type { Boundary } from '../boundary.js'
import { describeGuests } from '../generator.js'
import { counting, ratesOf } from '../near.js'
import { ratiosOf } from '../ratios.js'
import type { Noise, Results } from '../run.js'
import { median } from '../statistics.js'

/** What stands at the top of the JSON. Names and shape stay when the bench grows: others compare old files with new ones. */
export interface RatesResult {
  readonly settings: RatesSettings
  readonly runs: readonly JsonRun[]
  /** Median over rounds of the ratio of frames a second, by `a/b@ring@frameBytes`. */
  readonly ratios: Readonly<Record<string, number>>
  /** The ratio of each round that counts, in order: of those in which the CPUs were as far apart for both. */
  readonly ratioRounds: Readonly<Record<string, readonly number[]>>
  /** As `ratios`, of cycles: `b`'s over `a`'s. */
  readonly cycleRatios: Readonly<Record<string, number>>
  /** `native-io` and `ts-io` in turns on one lcore, for each ring; empty when they were not both measured. */
  readonly boundaries: readonly Boundary[]
  /** How steady the machine was; the rounds of each run have what concerns them. */
  readonly noise: Noise
  /** What to know before believing the numbers. */
  readonly caveats: readonly string[]
}

export interface RatesSettings {
  /** Whole rounds that were run. */
  readonly rounds: number
  /** Measured time of each sample. */
  readonly seconds: number
  /** Most frames a switch takes in one burst. */
  readonly burst: number
  /** What the guests are; older reports do not say. */
  readonly load?: string
}

export interface JsonRun {
  readonly name: string
  readonly ring: string
  readonly frameBytes: number
  /** Median of the samples that count, as of cycles: those with the CPUs near each other (`far` of `rounds`), if there are any. */
  readonly mpps: number
  readonly cyclesPerPacket: number
  /** Mpps of each round, in order. */
  readonly samples: readonly number[]
  /** Everything measured in each round. */
  readonly rounds: Results['runs'][number]['samples']
}

export function ratesResult(
  { seconds, burst }: { seconds: number; burst: number },
  results: Results,
  boundaries: readonly Boundary[],
  caveats: readonly string[],
): RatesResult {
  const ratios = ratiosOf(results.runs)
  return {
    settings: { rounds: results.rounds, seconds, burst, load: describeGuests(burst) },
    runs: results.runs.map(({ name, ring, frameBytes, samples }) => ({
      name,
      ring,
      frameBytes,
      mpps: median(ratesOf(samples)),
      cyclesPerPacket: median(counting(samples).map(({ cyclesPerPacket }) => cyclesPerPacket)),
      samples: samples.map(({ mpps }) => mpps),
      rounds: samples,
    })),
    ratios: Object.fromEntries(ratios.map(({ key, ratio }) => [key, ratio])),
    ratioRounds: Object.fromEntries(ratios.map(({ key, rounds }) => [key, rounds])),
    cycleRatios: Object.fromEntries(ratios.map(({ key, byCycles }) => [key, byCycles])),
    boundaries,
    noise: results.noise,
    caveats,
  }
}
