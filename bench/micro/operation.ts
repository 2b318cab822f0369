/** One thing that a switch does over and over again. */
export interface Operation {
  /** What it is among: operations of a group can be compared. */
  readonly group: string
  readonly name: string
  /** How often `run` does it: frames of a burst, lookups. */
  readonly per: number
  run(): void
  /** What of `run` is only there for the measurement. */
  around?(): void
}

/** Nanoseconds that an operation took. */
export interface Timing {
  readonly group: string
  readonly name: string
  /** Median over samples; `low` and `high` are the quartiles. */
  readonly ns: number
  readonly low: number
  readonly high: number
}

/** What the process that measures is told. */
export interface MicroStart {
  readonly cpu: number
  /** For each operation. */
  readonly milliseconds: number
}
