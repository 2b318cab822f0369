import type { Place } from './calibration/calibrator.js'
import type { Placement } from './calibration/placement.js'

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

/** What a window is of: stopped before it and after it, so that nobody runs while the distance of the CPUs is measured. */
export interface Stopped {
  resume(): void
  stop(): void
  /** Frames flow for so long before a window: the caches have what ran before in them. */
  leadIn(): Promise<void>
  /** Milliseconds that its threads waited for their CPUs since it was last asked, the switch's and the generator's. */
  lost(): readonly [number, number]
}

/** Takes windows, with CPUs that are near each other, if that is to be had. */
export class Windows {
  readonly #placement: Placement
  #patienceMs: number
  /** Where they were after the last window. */
  #last: Place | undefined

  /** @param samples - that the windows are for, of which each has its time for the CPUs to come near */
  constructor(placement: Placement, samples: number) {
    this.#placement = placement
    this.#patienceMs = samples * SETTLE_MS
  }

  async take<T extends object>(of: Stopped, measure: () => Promise<T>): Promise<Window<T>> {
    const before = await this.#near()
    // Without a place the next window looks for itself.
    this.#last = undefined
    of.resume()
    let window: T & Pick<Surroundings, 'switchLost' | 'generatorLost'>
    try {
      await of.leadIn()
      of.lost()
      const begun = performance.now()
      const measured = await measure()
      const elapsed = performance.now() - begun
      const [switchLost, generatorLost] = of.lost()
      window = {
        ...measured,
        switchLost: switchLost / elapsed,
        generatorLost: generatorLost / elapsed,
      }
    } finally {
      of.stop()
    }
    const after = await this.#placement.measure()
    this.#last = after
    return {
      ...window,
      far: this.#placement.isFar(before) || this.#placement.isFar(after),
      shared: this.#placement.isShared(before) || this.#placement.isShared(after),
      roundTrip: Math.max(before.roundTrip, after.roundTrip),
    }
  }

  /** Brings them near each other where they are not. */
  async #near(): Promise<Place> {
    if (this.#last !== undefined && !this.#placement.isFar(this.#last)) return this.#last
    const begun = performance.now()
    const place = await this.#placement.settle(this.#patienceMs)
    this.#patienceMs -= performance.now() - begun
    return place
  }
}

/** Whether another window is to be taken, after these, until so many were undisturbed. */
export function wantsMore(taken: readonly (Surroundings & Placed)[], count: number): boolean {
  const good = taken.filter((window) => disturbance(window) < 1).length
  return good < count && taken.length < count * (taken.every(({ far }) => far) ? MOST_FAR : MOST)
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
