import type { Program } from '../programs/program.js'
import type { ProgramEvent } from './events.js'

/** Bursts a program may throw on in a row before it is put aside. */
const TOO_MANY = 10

/** At most one report of the same trouble in this time. */
const REPORT_INTERVAL_MS = 1000

/** Stands in for a program that was put aside: throws on, so that every frame counts as its error. */
function aside(name: string | undefined): Program {
  const reason = new Error('the program was put aside')
  return {
    ...(name === undefined ? {} : { name }),
    burst() {
      throw reason
    },
  }
}

/** Decides what becomes of a program that throws, and reports it without flooding anybody. */
export class Thrower {
  readonly #report: (event: Omit<ProgramEvent, 'lcore'>) => void
  #lastReport = Number.NEGATIVE_INFINITY
  #unreported = 0
  #aside = false

  constructor(report: (event: Omit<ProgramEvent, 'lcore'>) => void) {
    this.#report = report
  }

  /** A new program starts with a clean record. */
  reset(): void {
    this.#aside = false
    this.#lastReport = Number.NEGATIVE_INFINITY
  }

  /**
   * Takes note of an error.
   *
   * @param error - what was thrown
   * @param program - which threw it
   * @param inRow - how many bursts in a row it has thrown on, this one included
   * @returns the program to go on with
   */
  note(error: unknown, program: Program, inRow: number): Program {
    if (this.#aside) return program
    this.#unreported += 1
    const now = performance.now()
    const putAside = inRow >= TOO_MANY
    if (putAside || now - this.#lastReport >= REPORT_INTERVAL_MS) {
      this.#report({
        program: program.name,
        problem: putAside ? 'aside' : 'threw',
        times: this.#unreported,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      })
      this.#unreported = 0
      this.#lastReport = now
    }
    if (!putAside) return program
    this.#aside = true
    return aside(program.name)
  }
}
