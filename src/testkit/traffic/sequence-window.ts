/** How far back a late frame can still be told from a repeated one. */
export const WINDOW = 8192

/**
 * The numbers of one flow as they arrive, 0 being the first that was sent.
 *
 * A number that is passed over counts as missing until it arrives after all.
 */
export class SequenceWindow {
  /** One more than the highest number seen. */
  next = 0
  /** Different numbers seen. */
  frames = 0
  missing = 0
  duplicated = 0
  /** Arrived after a higher number. */
  reordered = 0
  /** Arrived more than {@link WINDOW} numbers late; whether for the first time is not known. */
  late = 0
  readonly #seen = new Uint32Array(WINDOW / 32)

  /** Takes note of a number; returns how many were passed over just now. */
  see(number: number): number {
    const ahead = number - this.next
    if (ahead < 0) {
      this.#seeOld(number, -ahead)
      return 0
    }
    if (ahead > 0) this.#pass(number)
    this.#seen[(number % WINDOW) >>> 5]! |= 1 << (number & 31)
    this.next = number + 1
    this.frames += 1
    this.missing += ahead
    return ahead
  }

  #seeOld(number: number, behind: number): void {
    if (behind > WINDOW) {
      this.late += 1
      return
    }
    const word = (number % WINDOW) >>> 5
    const bit = 1 << (number & 31)
    if ((this.#seen[word]! & bit) !== 0) {
      this.duplicated += 1
      return
    }
    this.#seen[word]! |= bit
    this.frames += 1
    this.reordered += 1
    this.missing -= 1
  }

  /** The places of numbers from `next` up to `number` still hold those of one window before. */
  #pass(number: number): void {
    if (number - this.next >= WINDOW) {
      this.#seen.fill(0)
      return
    }
    for (let passed = this.next; passed < number; passed++) {
      this.#seen[(passed % WINDOW) >>> 5]! &= ~(1 << (passed & 31))
    }
  }
}
