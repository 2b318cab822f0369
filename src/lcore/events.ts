/** A program threw, or did not return. */
export interface ProgramEvent {
  /** Name of the lcore. */
  readonly lcore: string
  /** Name of the program, where it has one. */
  readonly program: string | undefined
  /**
   * `threw`: it lost those bursts and goes on. `aside`: it threw on too many in a row; its ports drop until it is replaced.
   * `stuck`: it did not return from a burst, and its thread is ended.
   */
  readonly problem: 'threw' | 'aside' | 'stuck'
  /** Bursts lost since the last report. */
  readonly times: number
  /** The last error, with its stack. */
  readonly error: string
  /** Of one that is stuck: what it was given. */
  readonly burst?: BurstReport | undefined
}

/** A burst that a program did not return from. */
export interface BurstReport {
  /** Name of the port it came from. */
  readonly port: string
  readonly queue: number
  readonly frames: number
  /** The first 64 bytes of the first frame, as the program left them. */
  readonly first: Uint8Array
}

/** An lcore started or ended. */
export interface LcoreEvent {
  /** Name of the lcore. */
  readonly lcore: string
  readonly state: 'started' | 'ended'
  /** Why it ended, when nobody asked for it. */
  readonly reason?: string | undefined
}
