/** What the process of a switch of ours is told at its start. */
export interface Start {
  readonly contender: 'native-io' | 'ts-io' | 'ts-learning' | 'ts-flow2' | 'ts-flow1000'
  readonly sockets: readonly [string, string]
  readonly cpu: number
  readonly burst: number
  readonly memory: 'hugepages' | 'memfd'
  readonly memoryMiB: number
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
