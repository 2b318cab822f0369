import { type Calibration, Calibrator } from './calibration/calibrator.js'
import { groupsOf } from './groups.js'
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
  /** Whether each is alive by itself, and not beside those it is compared with. Default: no. */
  readonly apart?: boolean
  readonly rounds: number
  /** Measured time of each sample. */
  readonly seconds: number
  /** No round is begun that would end later than this. The first is always run. */
  readonly limitSeconds: number
  /** How long to wait, before each group takes its turns, for both CPUs to be free. */
  readonly patienceSeconds: number
  /** Most frames a switch takes in one burst. */
  readonly burst: number
  readonly cpus: Cpus
  readonly memory: Memory
}

/** How steady the machine was. */
export interface Noise {
  /** The two CPUs before each start of a contender. */
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
  /** Processes are started for a sample, when so many are taken of those that there is time for. */
  turn(turn: Turn, done: number, total: number): void
  /** These are alive now, and take turns. */
  measuring?(turns: readonly Turn[], done: number, total: number): void
  /** A sample failed and is taken again. */
  again(turn: Turn, error: Error): void
  /** It failed again: this run has no more turns. */
  lost(turn: Turn, error: Error): void
  /** A sample was taken. */
  sample(turn: Turn, sample: Sample): void
  /** What there is after each group. */
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

/** Share of the time of a group in which its members are started, about. */
const STARTING = 0.5

/** Takes all samples: groups one after the other, the members of a group in turns. */
export async function runBench(
  options: BenchOptions,
  listener: Listener,
  signal: AbortSignal,
): Promise<Results> {
  const { entries, cpus, limitSeconds, apart = false } = options
  const turns = planTurns(entries, options.rounds)
  const perRound = entries.length
  const begun = performance.now()
  await using calibrator = new Calibrator(cpus.switch, cpus.generator)
  const taker = new SampleTaker(options, calibrator, signal)

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
  /** Those of whom it failed. */
  const take = async (group: readonly Turn[], total: number, failed: Listener['again']) => {
    if (group.length === 0) return []
    const share = (started: number) => done + STARTING * started
    const settled = await taker.take(group, {
      starting: (index) => listener.turn(group[index] as Turn, share(index), total),
      measuring: () => listener.measuring?.(group, share(group.length), total),
    })
    return group.filter((turn, i) => {
      const result = settled[i] as (typeof settled)[0]
      if (result.status === 'fulfilled') {
        turn.run.samples.push(result.value)
        listener.sample(turn, result.value)
      } else failed(turn, result.reason as Error)
      return result.status === 'rejected'
    })
  }
  for (let round = 0; round < options.rounds; round++) {
    const elapsed = (performance.now() - begun) / 1000
    const each = round === 0 ? undefined : elapsed / round
    if (each !== undefined && elapsed + each > limitSeconds) break
    // Rounds that there is no time for are none of those that are to come.
    const rounds = each === undefined ? options.rounds : Math.floor(limitSeconds / each)
    const total = Math.min(options.rounds, Math.max(rounds, round + 1)) * perRound
    const ofRound = turns.filter((turn) => turn.round === round)
    for (const group of apart ? ofRound.map((turn) => [turn]) : groupsOf(ofRound)) {
      const present = group.filter(({ run }) => !lost.has(run))
      const failed = await take(present, total, (turn, error) => listener.again(turn, error))
      await take(failed, total, (turn, error) => {
        lost.add(turn.run)
        listener.lost(turn, error)
      })
      done += group.length
      listener.sofar?.(results())
    }
  }
  return results()
}
