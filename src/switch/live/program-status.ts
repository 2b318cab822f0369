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
