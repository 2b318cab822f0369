import type { Calibration, Calibrator } from './calibration/calibrator.js'
import type { Turn } from './plan.js'
import { waitUntilQuiet } from './quiet.js'
import type { BenchOptions, Listener } from './run.js'
import { type Measurement, type Sample, takeSample } from './sample.js'

/** A sample is disturbed when others took more than this share of either CPU, */
const LOST = 0.02
/** or when the CPUs were that many times farther apart than they can be. */
const FAR = 1.5
/** It is then taken again, at most that many times unless the options say otherwise. What it came to has no say in that. */
export const RETAKES = 2
/**
 * Samples that may be taken again for each one that is to be taken: on a machine that is never quiet there would be no time for
 * rounds otherwise, and rounds tell more.
 */
export const RETAKE_SHARE = 0.15

/** Takes samples, and takes those again that something else disturbed. */
export class SampleTaker {
  readonly calibrations: Calibration[] = []
  putAside = 0
  /** Samples that may be taken again by now: saved up turn by turn, so that no contender comes before others. */
  #credit = 0
  readonly #options: BenchOptions
  readonly #calibrator: Calibrator
  readonly #listener: Listener
  readonly #signal: AbortSignal

  constructor(
    options: BenchOptions,
    calibrator: Calibrator,
    listener: Listener,
    signal: AbortSignal,
  ) {
    this.#options = options
    this.#calibrator = calibrator
    this.#listener = listener
    this.#signal = signal
  }

  async take(turn: Turn): Promise<Sample> {
    let best: Sample | undefined
    this.#credit += RETAKE_SHARE
    for (let retakes = 0; ; retakes++) {
      await this.#wait()
      this.calibrations.push(await this.#calibrator.run())
      const before = this.calibrations.at(-1)?.roundTrip as number
      const sample = await this.#attempt(turn)
      const roundTrip = Math.max(before, await this.#calibrator.roundTrip())
      const taken = { ...sample, roundTrip }
      if (best === undefined || this.#disturbance(taken) < this.#disturbance(best)) best = taken
      if (this.#disturbance(best) < 1 || retakes >= this.#options.retakes) return best
      if (this.#credit < 1) return best
      this.#credit--
      this.putAside++
    }
  }

  /** Below 1 for a sample that counts at once. */
  #disturbance({ switchLost, generatorLost, roundTrip }: Sample): number {
    const lost = Math.max(switchLost, generatorLost) / LOST
    const shortest = Math.min(...this.calibrations.map((calibration) => calibration.roundTrip))
    const far = roundTrip > FAR * shortest
    // Distance weighs more: it doubles the cost of a frame, while others' share of the CPU is a share of the time.
    return far ? lost + 1000 : lost
  }

  async #wait(): Promise<void> {
    const { cpus, patienceSeconds } = this.#options
    await waitUntilQuiet([cpus.switch, cpus.generator], patienceSeconds, this.#signal)
  }

  /** A process that did not start in time on a busy machine is not the end of the bench. */
  async #attempt(turn: Turn): Promise<Measurement> {
    const { seconds, burst, cpus, memory } = this.#options
    const { name: _name, samples: _samples, ring, ...scenario } = turn.run
    const setup = {
      burst,
      cpus,
      memory,
      ...scenario,
      ring: ring === 'none' ? 'split' : ring,
    } as const
    const take = () => takeSample(turn.contender, setup, seconds * 1000, this.#signal)
    try {
      return await take()
    } catch (error) {
      if (this.#signal.aborted) throw error
      this.#listener.again(turn, error as Error)
      return take()
    }
  }
}
