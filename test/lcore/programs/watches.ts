import type { Burst, Program } from '../../../src/index.js'

/** What came to pass while frames flowed. */
export interface Watched {
  bursts: number
  /** Of the thread's event loop. */
  rounds: number
  /** Runs of a timer that is due every millisecond. */
  timers: number
  /** What bursts left to be done later, each once the one before it was done. */
  promises: number
  ticks: number
  immediates: number
}

/** What the program is to do besides taking frames. */
export type Work = 'nothing' | 'timers' | 'promises' | 'ticks' | 'immediates'

interface Watch {
  readonly milliseconds: number
  readonly work: Work
}

/** Drops all frames; a message makes it watch for so long, by the clock of the bursts, and is answered then. */
export class Watches implements Program {
  readonly name = 'watches'
  readonly #seen: Watched = {
    bursts: 0,
    rounds: 0,
    timers: 0,
    promises: 0,
    ticks: 0,
    immediates: 0,
  }
  #work: Work = 'nothing'
  #isWaiting = false
  #end = Number.POSITIVE_INFINITY
  #milliseconds = 0
  #answer: (seen: Watched) => void = () => {}
  #round: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined

  constructor() {
    // Nothing that anybody waits for: it runs in every round, and does not ask for one.
    const round = () => {
      this.#seen.rounds += 1
      this.#round = setImmediate(round).unref()
    }
    this.#round = setImmediate(round).unref()
  }

  burst({ now }: Burst): void {
    const seen = this.#seen
    seen.bursts += 1
    if (this.#milliseconds !== 0) {
      this.#end = now + this.#milliseconds
      this.#milliseconds = 0
      for (const key of Object.keys(seen)) seen[key as keyof Watched] = 0
    }
    if (now > this.#end) this.#tell()
    else if (!this.#isWaiting) this.#leaveWork()
  }

  message(message: unknown): unknown {
    if (message === 'ping') return 'pong'
    const { milliseconds, work } = message as Watch
    this.#milliseconds = milliseconds
    this.#work = work
    if (work === 'timers') this.#timer = setInterval(() => void this.#seen.timers++, 1)
    return new Promise<Watched>((resolve) => {
      this.#answer = resolve
    })
  }

  close(): void {
    clearInterval(this.#timer)
    clearImmediate(this.#round)
  }

  #leaveWork(): void {
    const done = (what: 'promises' | 'ticks' | 'immediates') => {
      this.#seen[what] += 1
      this.#isWaiting = false
    }
    this.#isWaiting = true
    if (this.#work === 'promises') void Promise.resolve().then(() => done('promises'))
    else if (this.#work === 'ticks') process.nextTick(() => done('ticks'))
    else if (this.#work === 'immediates') setImmediate(() => done('immediates'))
    else this.#isWaiting = false
  }

  #tell(): void {
    clearInterval(this.#timer)
    this.#end = Number.POSITIVE_INFINITY
    this.#work = 'nothing'
    this.#answer({ ...this.#seen })
  }
}

export default () => new Watches()
