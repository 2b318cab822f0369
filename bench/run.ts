import { Calibrator } from './calibrator.js'
import type { Contender } from './contender.js'
import type { Memory } from './memory.js'
import { planTurns, type Run, type Scenario, type Turn } from './plan.js'
import { waitUntilQuiet } from './quiet.js'
import { type Sample, takeSample } from './sample.js'
import type { Cpus } from './setup.js'

export interface BenchOptions {
  readonly contenders: readonly Contender[]
  readonly scenarios: readonly Scenario[]
  readonly rounds: number
  /** Measured time of each sample. */
  readonly seconds: number
  /** No round is begun that would end later than this. The first is always run. */
  readonly limitSeconds: number
  /** How long to wait before each turn for both CPUs to be free. */
  readonly patienceSeconds: number
  readonly cpus: Cpus
  readonly memory: Memory
}

/** A sample that lost more of either CPU than this to others is taken again, */
const DISTURBED = 0.02
/** at most that many times. The one that lost least counts: what was measured has no say in it. */
const RETAKES = 2

/** How quiet the machine was. */
export interface Noise {
  /** For each of the two CPUs: how much longer the slowest run of the calibration loop took than the fastest, as a share. */
  readonly calibration: readonly [number, number]
  /** Samples that were put aside, because others had used the CPUs. */
  readonly putAside: number
}

export interface Results {
  readonly runs: readonly Run[]
  /** Whole rounds that were run. */
  readonly rounds: number
  readonly noise: Noise
}

/** Hears of the progress. */
export interface Listener {
  /** A sample begins; `secondsLeft` is unknown before the first has ended. */
  turn(turn: Turn, index: number, total: number, secondsLeft: number | undefined): void
  /** A sample failed and is taken again. */
  again(turn: Turn, error: Error): void
  /** A sample was taken. */
  sample(turn: Turn, sample: Sample): void
}

/** Takes all samples in turn. */
export async function runBench(
  options: BenchOptions,
  listener: Listener,
  signal: AbortSignal,
): Promise<Results> {
  const { contenders, scenarios, cpus, limitSeconds } = options
  const turns = planTurns(contenders, scenarios, options.rounds)
  const perRound = contenders.length * scenarios.length
  const begun = performance.now()
  await using ours = new Calibrator(cpus.switch)
  await using theirs = new Calibrator(cpus.generator)

  let done = 0
  let putAside = 0
  for (const turn of turns) {
    const elapsed = (performance.now() - begun) / 1000
    const each = done === 0 ? undefined : elapsed / done
    if (done % perRound === 0) {
      if (each !== undefined && elapsed + each * perRound > limitSeconds) break
      await ours.run()
      await theirs.run()
    }
    listener.turn(turn, done, turns.length, each && each * (turns.length - done))
    const { sample, retakes } = await takeUndisturbed(turn, options, listener, signal)
    turn.run.samples.push(sample)
    putAside += retakes
    listener.sample(turn, sample)
    done++
  }
  await ours.run()
  await theirs.run()
  return {
    runs: turns.slice(0, perRound).map((turn) => turn.run),
    rounds: done / perRound,
    noise: { calibration: [ours.unsteadiness, theirs.unsteadiness], putAside },
  }
}

async function takeUndisturbed(
  turn: Turn,
  options: BenchOptions,
  listener: Listener,
  signal: AbortSignal,
): Promise<{ sample: Sample; retakes: number }> {
  let best: Sample | undefined
  for (let retakes = 0; ; retakes++) {
    const sample = await attempt(turn, options, listener, signal)
    if (best === undefined || lost(sample) < lost(best)) best = sample
    if (lost(best) <= DISTURBED || retakes === RETAKES) return { sample: best, retakes }
  }
}

function lost({ switchLost, generatorLost }: Sample): number {
  return Math.max(switchLost, generatorLost)
}

/** A process that did not start in time on a busy machine is not the end of the bench. */
async function attempt(
  turn: Turn,
  { seconds, patienceSeconds, cpus, memory }: BenchOptions,
  listener: Listener,
  signal: AbortSignal,
): Promise<Sample> {
  const { ring, frameBytes } = turn.run
  const take = () =>
    takeSample(turn.contender, { ring, frameBytes, cpus, memory }, seconds * 1000, signal)
  await waitUntilQuiet([cpus.switch, cpus.generator], patienceSeconds, signal)
  try {
    return await take()
  } catch (error) {
    if (signal.aborted) throw error
    listener.again(turn, error as Error)
    return take()
  }
}
