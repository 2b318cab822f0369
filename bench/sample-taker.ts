import type { Calibration, Calibrator } from './calibration/calibrator.js'
import { Placement } from './calibration/placement.js'
import type { Turn } from './plan.js'
import { waitUntilQuiet } from './quiet.js'
import type { BenchOptions, Listener } from './run.js'
import { type Sample, takeSample } from './sample.js'

/** Takes samples, and looks at the machine before each. */
export class SampleTaker {
  readonly calibrations: Calibration[] = []
  readonly #options: BenchOptions
  readonly #calibrator: Calibrator
  readonly #listener: Listener
  readonly #signal: AbortSignal
  #placement: Placement | undefined

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

  /** A process that did not start in time on a busy machine is not the end of the bench. */
  async take(turn: Turn): Promise<Sample> {
    const { seconds, burst, cpus, memory, patienceSeconds } = this.#options
    await waitUntilQuiet([cpus.switch, cpus.generator], patienceSeconds, this.#signal)
    this.#placement ??= await Placement.start(this.#calibrator)
    this.calibrations.push(await this.#calibrator.run())
    const { name: _name, samples: _samples, ring, ...scenario } = turn.run
    const setup = {
      burst,
      cpus,
      memory,
      ...scenario,
      ring: ring === 'none' ? 'split' : ring,
    } as const
    const placement = this.#placement
    const take = () => takeSample(turn.contender, setup, seconds * 1000, placement, this.#signal)
    try {
      return await take()
    } catch (error) {
      if (this.#signal.aborted) throw error
      this.#listener.again(turn, error as Error)
      return take()
    }
  }
}
