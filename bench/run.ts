import { type Calibration, Calibrator } from './calibration/calibrator.js'
import { WARM_UP_MS } from './load.js'
import type { Memory } from './memory.js'
import { placed } from './near.js'
import { type Entry, planTurns, type Run, type Turn } from './plan.js'
import type { Sample } from './sample.js'
import { SampleTaker } from './sample-taker.js'
import type { Cpus } from './setup.js'

export interface BenchOptions {
  /** What takes turns. */
  readonly entries: readonly Entry[]
  readonly rounds: number
  /** Measured time of each sample. */
  readonly seconds: number
  /** No round is begun that would end later than this. The first is always run. */
  readonly limitSeconds: number
  /** How long to wait before each turn for both CPUs to be free. */
  readonly patienceSeconds: number
  /** Most frames a switch takes in one burst. */
  readonly burst: number
  readonly cpus: Cpus
  readonly memory: Memory
}

/** How steady the machine was. */
export interface Noise {
  /** The two CPUs before each sample. */
  readonly calibrations: readonly Calibration[]
  /** In older reports: samples that were taken again. */
  readonly putAside?: number
}

export interface Results {
  readonly runs: readonly Run[]
  /** Rounds that were run; the last may not be whole. */
  readonly rounds: number
  readonly noise: Noise
}

/** Hears of the progress. */
export interface Listener {
  /** A sample begins, of so many as there is time for. */
  turn(turn: Turn, index: number, total: number): void
  /** A sample failed and is taken again. */
  again(turn: Turn, error: Error): void
  /** It failed again: this run has no more turns. */
  lost(turn: Turn, error: Error): void
  /** A sample was taken. */
  sample(turn: Turn, sample: Sample): void
  /** What there is after each sample. */
  sofar?(results: Results): void
}

/** Windows that do not count take that share of the time of the others. */
const SPARE = 0.2

/** What a turn takes besides warming up and the measured time: two processes start, and are looked at. */
const AROUND_SECONDS = 1.5

/** What all turns take, about. */
export function secondsOfTurns(
  entries: readonly Entry[],
  { rounds, seconds }: Pick<BenchOptions, 'rounds' | 'seconds'>,
): number {
  const round = entries.reduce((sum, { contender, scenario }) => {
    const warmUp = WARM_UP_MS[scenario.load ?? contender.load] / 1000
    return sum + AROUND_SECONDS + warmUp + seconds
  }, 0)
  return rounds * round * (1 + SPARE)
}

/** Takes all samples in turn. */
export async function runBench(
  options: BenchOptions,
  listener: Listener,
  signal: AbortSignal,
): Promise<Results> {
  const { entries, cpus, limitSeconds } = options
  const turns = planTurns(entries, options.rounds)
  const perRound = entries.length
  const begun = performance.now()
  await using calibrator = new Calibrator(cpus.switch, cpus.generator)
  const taker = new SampleTaker(options, calibrator, listener, signal)

  let done = 0
  const lost = new Set<Run>()
  const results = (): Results => {
    const runs = turns.slice(0, perRound).map(({ run }) => run)
    const { calibrations } = taker
    return {
      runs: placed(
        runs.filter(({ samples }) => samples.length > 0),
        calibrations.map(({ roundTrip }) => roundTrip),
      ),
      rounds: Math.ceil(done / perRound),
      noise: { calibrations },
    }
  }
  for (const turn of turns) {
    const elapsed = (performance.now() - begun) / 1000
    const each = done === 0 ? undefined : elapsed / done
    const isNewRound = done % perRound === 0
    if (isNewRound && each !== undefined && elapsed + each * perRound > limitSeconds) break
    // Rounds that there is no time for are none of those that are to come.
    const rounds = each === undefined ? options.rounds : Math.floor(limitSeconds / each / perRound)
    const total = Math.min(turns.length, Math.max(perRound, rounds * perRound, done + 1))
    listener.turn(turn, done, total)
    done++
    if (lost.has(turn.run)) continue
    try {
      const sample = await taker.take(turn)
      turn.run.samples.push(sample)
      listener.sample(turn, sample)
    } catch (error) {
      if (signal.aborted) throw error
      lost.add(turn.run)
      listener.lost(turn, error as Error)
    }
    listener.sofar?.(results())
  }
  return results()
}
