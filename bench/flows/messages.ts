/** Frames of many flows, or of many sizes. */
export type FlowLoadName = 'flows' | 'imix'

/** What the process of the guests is told at its start. */
export interface LoadStart {
  readonly devargs: readonly string[]
  readonly queueSize: number
  readonly frameBytes: number
  readonly kind: FlowLoadName
  readonly cpu: number
  readonly memory: 'hugepages' | 'memfd'
  readonly memoryMiB: number
}

/** From the bench to that process. Each is answered by a message. */
export type LoadRequest = { kind: 'begin' } | { kind: 'totals' }

/** From that process to the bench. */
export type LoadReply =
  | { kind: 'started' }
  | { kind: 'begun' }
  | { kind: 'totals'; totals: LoadTotals }

/** Since its start. */
export interface LoadTotals {
  /** Frames that came back from the switch. */
  readonly frames: number
  readonly busyCycles: number
  /** When that was, in milliseconds. */
  readonly time: number
}
