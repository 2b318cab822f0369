import { FlowLoad } from './flows/load.js'
import { Generator } from './generator.js'
import type { Setup } from './setup.js'
import type { SeenFrame } from './testpmd-output.js'

/** What a switch is measured with: two guests, in a process of their own. */
export interface Load extends AsyncDisposable {
  readonly pid: number
  /** Rejects when the process ends by itself. */
  readonly failed: Promise<never>
  /** Resolves once a switch is connected to both ports. */
  started(): Promise<void>
  /** Puts the frames on their way. */
  begin(): Promise<void>
  /** Frames a second that came back from the switch, both directions together, since it was last asked. */
  rate(): Promise<number>
  countCycles(): Promise<void>
  /** Cycles of polls that found frames, for each of the frames, since {@link countCycles}. */
  cyclesPerFrame(): Promise<number>
  /** Ends the measurement: takes what goes round and tells what it is, where the guests can. */
  takeFrames?(): Promise<SeenFrame[]>
}

/**
 * - `pair`: 2048 frames of two addresses, the same for ever.
 * - `flows`: 10,000 frames, each with addresses and ports of its own.
 */
export type LoadName = 'pair' | 'flows'

export function startLoad(name: LoadName, setup: Setup): Load {
  return name === 'pair' ? new Generator(setup) : new FlowLoad(setup)
}

/**
 * Frames flow this long before anything is measured: code gets compiled, caches and tables filled. OVS has to see each
 * of many flows, and to look through all of them once.
 */
export const WARM_UP_MS: Readonly<Record<LoadName, number>> = { pair: 500, flows: 2500 }
