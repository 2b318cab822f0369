import { type Burst, DROP, MAX_FRAMES } from '../../burst/burst.js'
import type { Program } from '../program.js'
import { SubBurst } from '../sub-burst.js'

/**
 * The switch behind the action `normal`. The frames it gets are collected during a burst, and handed to it when that ends: as
 * the burst itself where they are all of it, as a burst of their own otherwise, from which what it decides is carried over.
 *
 * It may change them, as for the VLAN of a port. So of a frame that rules send elsewhere too, before `normal` or after it, it
 * gets a duplicate; when there is no room for one (`framesNotMade` of the lcore), it does not get the frame.
 */
export class Normal {
  readonly program: Program
  readonly #frames = new SubBurst()
  readonly #noted = new Uint32Array(MAX_FRAMES)
  #count = 0
  /** Whether it looks at copies before they are sent early, of which a burst has one such: so it needs one of its own. */
  #looksAtFlushes = false

  constructor(program: Program) {
    this.program = program
  }

  /** Notes frame `index` of the burst that is being decided. */
  add(index: number): void {
    // A frame can come here more often than there is room for: by rules that hand it to the switch again and again.
    if (this.#count < MAX_FRAMES) this.#noted[this.#count++] = index
  }

  /** Forgets frames of a burst that was not finished. */
  begin(): void {
    this.#count = 0
    this.#frames.begin()
  }

  /** Lets the switch decide the frames that were noted. */
  finish(real: Burst): void {
    if (this.#count === 0) return
    if (this.#isWhole(real)) this.#decideWhole(real)
    else this.#decideNoted(real)
  }

  /** Whether it gets each frame once, and nobody else gets any: mostly so. */
  #isWhole(real: Burst): boolean {
    const { count, outPort } = real
    const noted = this.#noted
    if (this.#looksAtFlushes || this.#count !== count || real.total !== count) return false
    for (let i = 0; i < count; i++) if (noted[i] !== i || outPort[i] !== DROP) return false
    return true
  }

  /** To collect frames and carry over what was decided takes longer than to decide it. */
  #decideWhole(real: Burst): void {
    const { beforeFlush } = real
    try {
      this.program.burst(real)
    } catch (error) {
      // As of a burst of its own, none of its verdicts count.
      real.dropAll()
      throw error
    } finally {
      if (real.beforeFlush !== beforeFlush) {
        real.beforeFlush = beforeFlush
        this.#looksAtFlushes = true
      }
    }
  }

  #decideNoted(real: Burst): void {
    let before = -1
    for (let i = 0; i < this.#count; i++) {
      const frame = this.#noted[i] as number
      const isShared = real.outPort[frame] !== DROP || frame === before
      before = frame
      const own = isShared ? real.duplicate(frame) : frame
      if (own >= 0) this.#frames.add(own)
    }
    if (this.#frames.count === 0) return
    this.program.burst(this.#frames.open(real))
    this.#frames.close()
  }
}
