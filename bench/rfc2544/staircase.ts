import { median } from '../statistics.js'
import type { Outcome } from './search.js'

const FIRST_RATE = 4_000_000
const FIRST_STEP = 0.2
const LEAST_STEP = 0.04
/** Rates that the search begins with say where it began. */
const BEGINNING = 10
/** So many of the last are what the rate is taken from. */
const KEPT = 40
const LEAST_PACE = 0.98

/**
 * The rate without loss from slices that lie apart in time: up after one without loss, down after one with (the up-and-down
 * method, Dixon and Mood 1948). It ends where half of the slices lose nothing, as the search by bisection, whose rates pass when
 * the majority of trials does.
 */
export class Staircase {
  readonly #tried: number[] = []
  #rate = FIRST_RATE
  #step = FIRST_STEP
  #passed: boolean | undefined
  #count = 0

  /** Frames a second to try next. */
  get next(): number {
    return this.#rate
  }

  /** `undefined` until there are enough. */
  get found(): number | undefined {
    return this.#count < BEGINNING ? undefined : median(this.#tried)
  }

  /** What {@link next} came to. */
  note({ lossRatio, pace }: Outcome): void {
    const passed = lossRatio === 0 && pace >= LEAST_PACE
    if (this.#passed !== undefined && passed !== this.#passed)
      this.#step = Math.max(LEAST_STEP, this.#step * 0.7)
    this.#passed = passed
    this.#count += 1
    this.#tried.push(this.#rate)
    if (this.#tried.length > KEPT || this.#count <= BEGINNING / 2) this.#tried.shift()
    this.#rate *= passed ? 1 + this.#step : 1 / (1 + this.#step)
  }
}
