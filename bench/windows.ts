import type { Place } from './calibration/calibrator.js'
import type { Placement } from './calibration/placement.js'
import { PollingThread } from './polling-thread.js'
import type { Cpus } from './setup.js'
import { resume, stop } from './stopped.js'

/** A window is disturbed when the CPUs were far apart, or others took more than this share of either, */
const LOST = 0.05
/** and is then followed by another; but there are at most that many for each that is to count, */
const MOST = 2
/** or so many while all were far. */
const MOST_FAR = 4
/** Time in a sample for the CPUs to come near. */
const SETTLE_MS = 2000

/** How things stood in a window; nothing of it depends on what was measured there. */
export interface Surroundings {
  /** Nanoseconds for a cache line from one CPU to the other and back, the longer of before and after. */
  readonly roundTrip: number
  /** Share of the time for which the switch's core was given to others. */
  readonly switchLost: number
  /** The same of the generator's core. */
  readonly generatorLost: number
}

/** Where the CPUs were before a window and after it, by what was seen until then. */
interface Placed {
  readonly far: boolean
  /** Whether somebody else ran on one of their cores: it comes and goes too often to be waited for, and has no say. */
  readonly shared: boolean
}

/** What was measured, and how things stood. */
export type Window<T> = T & Surroundings & Placed

/** Which processes poll: both are stopped while the distance of their CPUs is measured. */
interface Polling {
  readonly pid: number
}

/** Takes the windows of one sample, with CPUs that are near each other, if that is to be had. */
export class Windows {
  readonly #placement: Placement
  readonly #polling: readonly [Polling, Polling]
  readonly #threads: readonly [PollingThread, PollingThread]
  #patienceMs = SETTLE_MS
  /** Where they were after the last window. */
  #last: Place | undefined

  constructor(placement: Placement, cpus: Cpus, running: Polling, generator: Polling) {
    this.#placement = placement
    this.#polling = [running, generator]
    this.#threads = [
      new PollingThread(running.pid, cpus.switch),
      new PollingThread(generator.pid, cpus.generator),
    ]
  }

  /**
   * Takes windows until so many were undisturbed.
   *
   * @returns all that were taken, and those that count: without enough good ones, the least disturbed, of one distance
   */
  async take<T extends object>(count: number, measure: () => Promise<T>) {
    const taken: Window<T>[] = []
    const good = () => taken.filter((window) => disturbance(window) < 1).length
    const most = () => count * (taken.every(({ far }) => far) ? MOST_FAR : MOST)
    while (good() < count && taken.length < most()) taken.push(await this.#one(measure))
    return { taken, counting: leastDisturbed(taken, count) }
  }

  async #one<T extends object>(measure: () => Promise<T>): Promise<Window<T>> {
    const last = this.#last
    const before = last === undefined || this.#placement.isFar(last) ? await this.#settle() : last
    for (const thread of this.#threads) thread.lost()
    const begun = performance.now()
    const measured = await measure()
    const elapsed = performance.now() - begun
    const [switchLost, generatorLost] = this.#threads.map((thread) => thread.lost() / elapsed)
    const after = await this.#stopped(() => this.#placement.measure())
    this.#last = after
    return {
      ...measured,
      far: this.#placement.isFar(before) || this.#placement.isFar(after),
      shared: this.#placement.isShared(before) || this.#placement.isShared(after),
      roundTrip: Math.max(before.roundTrip, after.roundTrip),
      switchLost: switchLost as number,
      generatorLost: generatorLost as number,
    }
  }

  async #settle(): Promise<Place> {
    const begun = performance.now()
    const place = await this.#stopped(() => this.#placement.settle(this.#patienceMs))
    this.#patienceMs -= performance.now() - begun
    return place
  }

  async #stopped<T>(action: () => Promise<T>): Promise<T> {
    stop(this.#polling)
    try {
      return await action()
    } finally {
      resume(this.#polling)
    }
  }
}

/** Those of one distance, the near one if there are such: so many of them, the least disturbed first. */
export function leastDisturbed<T extends Surroundings & Placed>(
  windows: readonly T[],
  count: number,
): T[] {
  const sorted = [...windows].sort((a, b) => disturbance(a) - disturbance(b))
  return sorted.filter(({ far }) => far === sorted[0]?.far).slice(0, count)
}

/** Below 1 for a window that counts at once. Distance weighs most, as it doubles the cost of a frame. */
function disturbance({ far, switchLost, generatorLost }: Surroundings & Placed): number {
  const lost = Math.max(switchLost, generatorLost) / LOST
  return far ? lost + 1000 : lost
}
