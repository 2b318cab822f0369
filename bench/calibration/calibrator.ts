import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Ask, PlaceOfOne, Setting, Stops } from './worker.js'

/** The two CPUs at one moment. */
export interface Calibration {
  /** Milliseconds that a fixed amount of work took, on the switch's CPU and on the generator's. */
  readonly work: readonly [number, number]
  /** Nanoseconds for a cache line to go from one CPU to the other and back. */
  readonly roundTrip: number
}

/** Where the two CPUs are run at one moment. */
export interface Place {
  /** Nanoseconds for a cache line to go from one CPU to the other and back. */
  readonly roundTrip: number
  /**
   * Nanoseconds of a loop of instructions that do not wait for each other, on the switch's CPU and on the generator's: a third more
   * when another hardware thread uses the same core.
   */
  readonly wide: readonly [number, number]
}

/** Most that one measurement may take; it takes 30 ms on a free CPU. */
const PATIENCE_MS = 5000

/**
 * Measures the two CPUs themselves. What it measures stays the same unless a CPU changes its frequency, or somebody
 * else uses it, or, where the CPUs are virtual, the host below runs them on other cores than before: two that are
 * far apart hand each other cache lines several times slower, and frames go through cache lines.
 */
export class Calibrator implements AsyncDisposable {
  readonly #workers: readonly [Worker, Worker]

  constructor(switchCpu: number, generatorCpu: number) {
    const line = new SharedArrayBuffer(4096)
    const start = (cpu: number, serves: boolean) => {
      const workerData: Setting = { cpu, line, serves }
      return new Worker(new URL('./worker.js', import.meta.url), { workerData })
    }
    this.#workers = [start(switchCpu, true), start(generatorCpu, false)]
  }

  async run(): Promise<Calibration> {
    const [one, other] = this.#workers
    // One after the other: the two may share a core.
    const work = [await ask(one, 'work'), await ask(other, 'work')] as const
    return { work, roundTrip: await this.roundTrip() }
  }

  /** The round trip alone, which takes a few milliseconds. */
  async roundTrip(): Promise<number> {
    const [roundTrip] = await Promise.all(this.#workers.map((worker) => ask(worker, 'roundTrip')))
    return roundTrip as number
  }

  /** Where the two are run, which takes a few milliseconds. */
  async place(): Promise<Place> {
    const [one, other] = this.#workers
    const places = await Promise.all([
      ask<PlaceOfOne>(one, 'place'),
      ask<PlaceOfOne>(other, 'place'),
    ])
    return { roundTrip: places[0].roundTrip, wide: [places[0].wide, places[1].wide] }
  }

  /** Has a host run the two CPUs near each other, if it is one that can. It takes 15 ms; nothing may poll on them meanwhile. */
  async gather(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => ask(worker, 'gather')))
  }

  /** How often the switch's CPU is stopped while nothing else wants it: that is felt whoever switches. It takes a second. */
  stops(): Promise<Stops> {
    return ask(this.#workers[0], 'stops')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }
}

async function ask<Answer = number>(worker: Worker, what: Ask): Promise<Answer> {
  const answer = once(worker, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) })
  worker.postMessage(what)
  try {
    const [value] = (await answer) as [Answer]
    return value
  } catch {
    throw new Error(
      `a CPU did not find ${PATIENCE_MS} ms for the calibration: the machine is too busy`,
    )
  }
}
