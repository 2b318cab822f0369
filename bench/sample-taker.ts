import type { Calibration, Calibrator } from './calibration/calibrator.js'
import { Placement } from './calibration/placement.js'
import { memoryForAll } from './memory.js'
import type { Turn } from './plan.js'
import { waitUntilQuiet } from './quiet.js'
import type { BenchOptions } from './run.js'
import type { Sample } from './sample.js'
import { type Member, takeTogether } from './together.js'

/** Hears of the progress. */
interface Hears {
  /** One of the group is started, */
  starting(index: number): void
  /** and then all take their turns. */
  measuring(): void
}

/** Takes samples, and looks at the machine before. */
export class SampleTaker {
  readonly calibrations: Calibration[] = []
  readonly #options: BenchOptions
  readonly #calibrator: Calibrator
  readonly #signal: AbortSignal
  #placement: Placement | undefined

  constructor(options: BenchOptions, calibrator: Calibrator, signal: AbortSignal) {
    this.#options = options
    this.#calibrator = calibrator
    this.#signal = signal
  }

  /** Takes the samples of a group. */
  async take(
    turns: readonly Turn[],
    { starting, measuring }: Hears,
  ): Promise<PromiseSettledResult<Sample>[]> {
    const { seconds, cpus, patienceSeconds } = this.#options
    this.#placement ??= await Placement.start(this.#calibrator)
    const members = turns.map((turn) => this.#memberOf(turn, turns.length))
    return takeTogether(members, seconds * 1000, this.#placement, this.#signal, {
      starting: async (index) => {
        starting(index)
        this.calibrations.push(await this.#calibrator.run())
      },
      measuring: async () => {
        measuring()
        await waitUntilQuiet([cpus.switch, cpus.generator], patienceSeconds, this.#signal)
      },
    })
  }

  #memberOf({ contender, run }: Turn, together: number): Member {
    const { burst, cpus, memory } = this.#options
    const { name: _name, samples: _samples, ring, ...scenario } = run
    const setup = {
      burst,
      cpus,
      // A switch and its guests.
      memory: memoryForAll(2 * together, memory),
      ...scenario,
      ring: ring === 'none' ? 'split' : ring,
    } as const
    return { contender, setup }
  }
}
