/** A program threw. */
export interface ProgramEvent {
  /** Name of the lcore. */
  readonly lcore: string
  /** Name of the program, where it has one. */
  readonly program: string | undefined
  /** `threw`: it lost those bursts and goes on. `aside`: it threw on too many in a row; its ports drop until it is replaced. */
  readonly problem: 'threw' | 'aside'
  /** Bursts lost since the last report. */
  readonly times: number
  /** The last error, with its stack. */
  readonly error: string
}

/** An lcore started or ended. */
export interface LcoreEvent {
  /** Name of the lcore. */
  readonly lcore: string
  readonly state: 'started' | 'ended'
  /** Why it ended, when nobody asked for it. */
  readonly reason?: string | undefined
}
