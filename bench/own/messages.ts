/** `ts-flow` is a flow table with {@link Start.exactRules}. */
export type OwnName = 'native-io' | 'ts-io' | 'ts-learning' | 'ts-flow'

/** What the process of a switch of ours is told at its start. */
export interface Start {
  readonly contender: OwnName
  readonly sockets: readonly [string, string]
  /** CPUs of its lcores. */
  readonly cpus: readonly number[]
  /** Of `ts-flow`: rules for single flows, besides two for all others. */
  readonly exactRules: number
  readonly burst: number
  readonly idle: 'spin' | 'adaptive'
  readonly memory: 'hugepages' | 'memfd'
  readonly memoryMiB: number
  /** Longest frame, without FCS. */
  readonly frameBytes: number
  /** Sockets of further ports. */
  readonly others: readonly string[]
  /** Whether guests listen on those. */
  readonly guests: boolean
}

/** From the bench to that process. Each is answered by a message. */
export type Request =
  | { kind: 'begin'; milliseconds: number }
  | { kind: 'totals' }
  | { kind: 'alternate'; milliseconds: number }

/** From that process to the bench. */
export type Reply =
  | { kind: 'started' }
  | { kind: 'begun' }
  | { kind: 'totals'; totals: Totals }
  | { kind: 'alternated'; pairs: Pair[] }

/** What one loop did in its slice of time. */
export interface Slice {
  readonly framesPerSecond: number
  /** Cycles of polls that found frames, for each of the frames. */
  readonly cyclesPerFrame: number
}

/** Two slices that follow each other on one lcore. */
export interface Pair {
  readonly native: Slice
  readonly ts: Slice
}

/** Counters since its start. */
export interface Totals {
  readonly frames: number
  readonly busyCycles: number
  readonly cyclesPerSecond: number
  readonly dropped: number
  readonly bursts: number
}
