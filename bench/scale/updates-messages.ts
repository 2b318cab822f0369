/** What the process whose rules are updated is told at its start. */
export interface UpdatesStart {
  readonly sockets: readonly [string, string]
  readonly cpu: number
  readonly memory: 'hugepages' | 'memfd'
  readonly memoryMiB: number
  readonly rules: number
}

/** `updates` for that long, or nothing; `replace` gives other rules, once. */
export interface UpdatesRequest {
  readonly what: 'nothing' | 'updates' | 'replace'
  readonly milliseconds: number
}

/** What happened meanwhile. */
export interface UpdatesSlice {
  readonly milliseconds: number
  readonly updates: number
  readonly frames: number
  readonly cyclesPerFrame: number
  /** Longest time between two bursts. */
  readonly longestPauseMs: number
}

export type UpdatesReply = { kind: 'started' } | { kind: 'slice'; slice: UpdatesSlice }
