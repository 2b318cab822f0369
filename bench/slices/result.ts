import { counting } from '../near.js'
import type { Noise, Results } from '../run.js'
import { CYCLES_MS, type Sample } from '../sample.js'
import { median } from '../statistics.js'
import { keyOf, type Slice } from './slices.js'

/** Plain data: what the section is shown from. */
export interface SlicesResult {
  readonly rounds: number
  readonly slices: readonly SliceResult[]
  /** By key; several slices may name the same. */
  readonly runs: Readonly<Record<string, SliceRun>>
  readonly noise: Noise
  /** What was not measured, and why. */
  readonly leftOut: readonly string[]
  readonly caveats: readonly string[]
}

export interface SliceResult {
  readonly name: string
  readonly title: string
  readonly axis: string
  readonly labels: readonly string[]
  readonly contenders: readonly string[]
  /** Keys of runs: of each contender, one for each label. */
  readonly keys: readonly (readonly string[])[]
}

/** One contender in one scenario: medians of the samples that count, those with the CPUs near each other. */
export interface SliceRun {
  readonly name: string
  readonly ring: string
  /** Length without FCS, the mean of them for a mix. */
  readonly frameBytes: number
  readonly mpps: number
  /** Thousand million bits a second of frames without FCS, preamble and gap. */
  readonly gbps: number
  readonly cyclesPerPacket: number
  readonly busy: number
  readonly generatorBusy: number
  /** Frames that the switch dropped, of a million. */
  readonly lost: number
  /** Mpps of each round. */
  readonly samples: readonly number[]
  /** Everything measured in each round. */
  readonly rounds: readonly Sample[]
}

/** Gbit/s of so many million frames a second. */
export function gbpsOf(mpps: number, frameBytes: number): number {
  return (mpps * frameBytes * 8) / 1000
}

export function slicesResult(
  slices: readonly Slice[],
  { runs, rounds, noise }: Results,
  leftOut: readonly string[],
  caveats: readonly string[],
): SlicesResult {
  // A round that was begun and not ended is one of some runs only.
  const complete = runs.filter(({ samples }) => samples.length > 0)
  const entries = complete.map((run) => {
    const of = (pick: (sample: Sample) => number) => median(counting(run.samples).map(pick))
    const { name, ring, frameBytes } = run
    const mpps = of((sample) => sample.mpps)
    const result: SliceRun = {
      name,
      ring,
      frameBytes,
      mpps,
      gbps: gbpsOf(mpps, frameBytes),
      cyclesPerPacket: of((sample) => sample.cyclesPerPacket),
      busy: of(({ busy }) => busy),
      generatorBusy: of(({ generatorBusy }) => generatorBusy),
      lost: of(lossOf),
      samples: run.samples.map((sample) => sample.mpps),
      rounds: run.samples,
    }
    return [keyOf(name, run), result] as const
  })
  const measured = new Set(complete.map(({ name }) => name))
  return {
    rounds,
    slices: slices.map((slice) => sliceResult(slice, measured)),
    runs: Object.fromEntries(entries),
    noise,
    leftOut,
    caveats,
  }
}

function sliceResult({ name, title, axis, places, contenders }: Slice, measured: Set<string>) {
  const present = contenders.filter((contender) => measured.has(contender))
  return {
    name,
    title,
    axis,
    labels: places.map(({ label }) => label),
    contenders: present,
    keys: present.map((contender) => places.map(({ scenario }) => keyOf(contender, scenario))),
  }
}

/** Drops are counted in the same window as cycles. */
function lossOf({ dropped, mpps }: Sample): number {
  return dropped / ((mpps * CYCLES_MS) / 1000)
}
