import type { NativeTrialResult } from '../../src/native/binding.js'

/** What the process of the tester is told at its start. */
export interface TesterStart {
  readonly devargs: readonly [string, string]
  readonly queueSize: number
  /** What each port sends. */
  readonly frames: readonly [readonly number[], readonly number[]]
  readonly cpu: number
  readonly memory: 'hugepages' | 'memfd'
  readonly memoryMiB: number
}

/** From the bench to that process. Each is answered by a message. */
export type TesterRequest =
  | {
      readonly kind: 'trial'
      readonly milliseconds: number
      readonly lingerMs: number
      /** Of each port; 0: as many as the rings take. */
      readonly framesPerSecond: number
      readonly scattered: boolean
    }
  /** Which thread is the switch's: it is asked around each trial how long it waited for its CPU. */
  | { readonly kind: 'watch'; readonly pid: number; readonly cpu: number }

/** From that process to the bench. */
export type TesterReply =
  | { readonly kind: 'started'; readonly cyclesPerSecond: number }
  | { readonly kind: 'watching' }
  | { readonly kind: 'trial'; readonly result: PostedTrial }

/** A histogram as pairs of bucket and count, without the empty ones. */
export type Buckets = readonly (readonly [bucket: number, count: number])[]

export type PostedTrial = Omit<NativeTrialResult, 'latency' | 'lateness'> & {
  readonly switchWaitedMs: number
  readonly latency: Buckets
  readonly lateness: Buckets
}
