/** What lcores say of the programs of bridges, added up. */
export interface ProgramStatus {
  /** On one lcore at least. */
  readonly aside: boolean
  readonly errors: number
}

interface StatusAnswer {
  readonly bridges: Readonly<Record<string, ProgramStatus>>
}

/** @param answers - of all lcores to the message `status`; of one that just ended there is none */
export function addUp(answers: readonly unknown[]): Map<string, ProgramStatus> {
  const sums = new Map<string, ProgramStatus>()
  for (const answer of answers) {
    if (answer === undefined) continue
    for (const [bridge, status] of Object.entries((answer as StatusAnswer).bridges)) {
      const before = sums.get(bridge) ?? { aside: false, errors: 0 }
      sums.set(bridge, {
        aside: before.aside || status.aside,
        errors: before.errors + status.errors,
      })
    }
  }
  return sums
}

/** Errors of programs since the start: those that lcores tell begin anew with an lcore and with a program. */
export class ProgramErrors {
  readonly #byBridge = new Map<string, { last: number; total: number }>()

  note(statuses: ReadonlyMap<string, ProgramStatus>): void {
    for (const [bridge, { errors }] of statuses) {
      const { last, total } = this.#byBridge.get(bridge) ?? { last: 0, total: 0 }
      this.#byBridge.set(bridge, { last: errors, total: total + Math.max(0, errors - last) })
    }
  }

  of(bridge: string): number {
    return this.#byBridge.get(bridge)?.total ?? 0
  }
}
