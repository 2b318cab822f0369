import type { Burst } from '../burst/burst.js'
import type { NativeLcore } from '../native/binding.js'
import type { Program } from '../programs/program.js'

/** How long an lcore keeps polling empty queues before it sleeps. */
const SPIN_MS = 0.1

/**
 * Longest turn of a thread that does nothing else. After each it is asked whether the event loop has something to do, and messages
 * to the program wait for that; it takes less than a microsecond.
 */
export const WORKER_BUDGET_MS = 0.25

export interface LoopOptions {
  /** `adaptive` sleeps when all queues stay empty, `spin` never does. */
  idle: 'spin' | 'adaptive'
  /** Longest sleep. */
  maxSleepMs: number
  /** Longest turn: what is to be done on the thread besides, waits for its end. */
  budgetMs: number
  /** Whether the thread may block while it sleeps, as a Worker may. */
  mayBlock: boolean
  /** The program threw, for the `inRow`-th time in a row, and lost its burst. Returns the program to go on with. */
  onError(error: unknown, program: Program, inRow: number): Program
}

/**
 * Polls and lets the program decide, in turns; in between the thread's event loop can do what it has to.
 *
 * Nothing in `turn` allocates: it runs for every burst.
 */
export class LcoreLoop {
  program: Program
  readonly #native: NativeLcore
  readonly #burst: Burst
  readonly #clock: Float64Array
  readonly #options: LoopOptions
  #running = false
  #lastBusy = 0
  #errorsInRow = 0

  constructor(
    native: NativeLcore,
    burst: Burst,
    clock: Float64Array,
    program: Program,
    options: LoopOptions,
  ) {
    this.#native = native
    this.#burst = burst
    this.#clock = clock
    this.program = program
    this.#options = options
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#native.start()
  }

  /** No burst is handed out after this. */
  stop(): void {
    this.#running = false
    this.#native.flush()
  }

  /** Bursts until the budget is spent. Returns whether to be called again. */
  readonly turn = (): boolean => {
    if (!this.#running) return false
    const native = this.#native
    const clock = this.#clock
    const { idle, budgetMs, maxSleepMs, mayBlock } = this.#options

    let count = native.poll()
    const end = (clock[0] as number) + budgetMs
    for (;;) {
      const now = clock[0] as number
      if (count !== 0) {
        this.#lastBusy = now
        this.#decide(count)
      } else if (this.program.idle !== undefined && this.#idle()) {
        this.#lastBusy = now
      } else if (idle === 'adaptive' && now - this.#lastBusy > SPIN_MS) {
        if (mayBlock) {
          count = native.wait(maxSleepMs)
          if (count !== 0) this.#decide(count)
          break
        }
        count = native.arm()
        if (count === 0) {
          native.sleep(maxSleepMs)
          return false
        }
        continue
      }
      if (now > end) break
      count = native.poll()
    }
    // Whoever runs next may take long; the frames already decided do not wait for it.
    native.flush()
    return this.#running
  }

  #decide(count: number): void {
    const burst = this.#burst
    burst.begin(count)
    try {
      this.program.burst(burst)
      this.#errorsInRow = 0
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Whether the program wants to be asked again at once. */
  #idle(): boolean {
    this.#burst.begin(0)
    try {
      return this.program.idle?.(this.#burst) !== false
    } catch (error) {
      this.#fail(error)
      return false
    }
  }

  #fail(error: unknown): void {
    this.#native.failBurst()
    this.#errorsInRow += 1
    this.program = this.#options.onError(error, this.program, this.#errorsInRow)
  }
}
