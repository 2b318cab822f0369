import type { Section } from './section.js'
import { duration, StatusLine } from './status-line.js'

/** What a section has done by now before that says more of its time than what was expected. */
const TELLING = 0.1

/** Says on stderr what is measured, and how much time is left. */
export class Progress {
  readonly #expected: readonly number[]
  readonly #status = new StatusLine()
  #index = 0
  #slot = Number.POSITIVE_INFINITY
  #begun = performance.now()

  /** @param expected - seconds of each section */
  constructor(expected: readonly number[]) {
    this.#expected = expected
  }

  // These are handed on as they are.
  readonly begin = ({ title }: Section, index: number, slot: number): void => {
    this.#index = index
    this.#slot = slot
    this.#begun = performance.now()
    this.#status.say(`${title} ...`)
  }

  readonly progress = (what: string, done: number): void => {
    const where = this.#expected.length > 1 ? `${this.#index + 1}/${this.#expected.length}, ` : ''
    this.#status.show(`[${where}${duration(this.#secondsLeft(done))} left] ${what}`)
  }

  readonly say = (what: string): void => {
    this.#status.say(what)
  }

  end(): void {
    this.#status.end()
  }

  #secondsLeft(done: number): number {
    const elapsed = (performance.now() - this.#begun) / 1000
    const expected = this.#expected[this.#index] ?? 0
    const own = done > TELLING ? elapsed / done - elapsed : Math.max(0, expected - elapsed)
    const slot = Math.max(0, this.#slot - elapsed)
    const later = this.#expected.slice(this.#index + 1).reduce((sum, seconds) => sum + seconds, 0)
    // The others have their parts of what is left as this one has.
    const share = Math.min(1, this.#slot / expected)
    return Math.min(own, slot) + later * share
  }
}
