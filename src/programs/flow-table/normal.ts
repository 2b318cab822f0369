import type { Burst } from '../../burst/burst.js'
import type { Program } from '../program.js'
import { SubBurst } from '../sub-burst.js'

/**
 * The switch behind the action `normal`. The frames it gets are collected during a burst, and handed to it as a burst
 * of their own when that ends; what it decides is carried over.
 */
export class Normal {
  readonly program: Program
  readonly #frames = new SubBurst()

  constructor(program: Program) {
    this.program = program
  }

  /** Notes frame `index` of the burst that is being decided. */
  add(index: number): void {
    // A frame can come here more often than there is room for: by rules that hand it to the switch again and again.
    this.#frames.add(index)
  }

  /** Forgets frames of a burst that was not finished. */
  begin(): void {
    this.#frames.begin()
  }

  /** Lets the switch decide the frames that were noted. */
  finish(real: Burst): void {
    if (this.#frames.count === 0) return
    this.program.burst(this.#frames.open(real))
    this.#frames.close()
  }
}
