/** Does something every so often, of the time in which it is not paused. It begins paused. */
export class PausedInterval {
  readonly #action: () => void
  readonly #milliseconds: number
  /** Until the next time. */
  #left: number
  #resumed = 0
  #timer: NodeJS.Timeout | undefined

  constructor(action: () => void, milliseconds: number) {
    this.#action = action
    this.#milliseconds = milliseconds
    this.#left = milliseconds
  }

  resume(): void {
    if (this.#timer !== undefined) return
    this.#resumed = performance.now()
    this.#timer = setTimeout(() => this.#fire(), this.#left)
  }

  pause(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#left = Math.max(0, this.#left - (performance.now() - this.#resumed))
  }

  #fire(): void {
    this.#timer = undefined
    this.#left = this.#milliseconds
    this.resume()
    this.#action()
  }
}
