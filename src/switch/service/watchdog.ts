import type { LcoreView } from '../control.js'

type Polls = Pick<LcoreView, 'name' | 'counters'>

/** What a watchdog looks at and what it does. */
export interface WatchdogOptions {
  /** Time between two looks, in milliseconds. */
  readonly intervalMs: number
  lcores(): Promise<readonly Polls[]>
  /** All is well. */
  ping(): void
  /** These lcores have not polled since the last look. Told once, until others stand still. */
  onStill(names: readonly string[]): void
}

/** Pings as long as every lcore polls: one whose program never returns stands still, and with it the ports it polls. */
export class Watchdog implements Disposable {
  readonly #options: WatchdogOptions
  readonly #timer: NodeJS.Timeout
  #polls = new Map<string, number>()
  #looking = false
  #still = ''

  constructor(options: WatchdogOptions) {
    this.#options = options
    void this.#look()
    this.#timer = setInterval(() => void this.#look(), options.intervalMs)
    this.#timer.unref()
  }

  /**
   * Half of the time after which systemd takes the service for hung, in milliseconds; undefined when it does not watch
   * this process (`WATCHDOG_USEC`, `WATCHDOG_PID` of sd_watchdog_enabled(3)).
   */
  static interval(env: NodeJS.ProcessEnv = process.env): number | undefined {
    const microseconds = Number(env.WATCHDOG_USEC)
    if (!(microseconds > 0)) return undefined
    if (env.WATCHDOG_PID && Number(env.WATCHDOG_PID) !== process.pid) return undefined
    return Math.max(microseconds / 2000, 1)
  }

  async #look(): Promise<void> {
    // An answer that does not come is no reason to ask again, nor to ping.
    if (this.#looking) return
    this.#looking = true
    try {
      this.#judge(await this.#options.lcores())
    } catch {
      // A switch that cannot say how it is gets no ping.
    } finally {
      this.#looking = false
    }
  }

  #judge(lcores: readonly Polls[]): void {
    const still = lcores
      .filter(({ name, counters }) => this.#polls.get(name) === counters.polls)
      .map(({ name }) => name)
    this.#polls = new Map(lcores.map(({ name, counters }) => [name, counters.polls]))
    const { ping, onStill } = this.#options
    if (still.length === 0) ping()
    else if (still.join() !== this.#still) onStill(still)
    this.#still = still.join()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
