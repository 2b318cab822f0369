import { FlowLoad } from './flows/load.js'
import { Generator } from './generator.js'
import { type InterfaceKind, Network } from './kernel/network.js'
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
 * - `pair`: 512 frames (up to 2048 with large bursts or several queues) of two addresses, the same for ever.
 * - `flows`: 10,000 frames, each with addresses and ports of its own.
 * - `imix`: 2040 frames of the same two addresses, 7 of 64 bytes to 4 of 590 and 1 of 1514: the simple IMIX
 * - `veth`, `tap`: as `pair`, with 512 frames, through interfaces of the kernel
 */
export type LoadName = 'pair' | 'flows' | 'imix' | InterfaceKind

export function startLoad(name: LoadName, setup: Setup): Load {
  return name === 'flows' || name === 'imix' ? new FlowLoad(setup, name) : new Generator(setup)
}

/** Whether its frames go through the kernel, and not through virtqueues. */
export function isOfKernel(name: LoadName): name is InterfaceKind {
  return name === 'veth' || name === 'tap'
}

/** The namespace with the interfaces that a load goes through, where it does. */
export async function networkOf(name: LoadName): Promise<Network | undefined> {
  return isOfKernel(name) ? Network.create(name) : undefined
}

/**
 * Frames flow this long before anything is measured: code gets compiled, caches and tables filled. OVS has to see each
 * of many flows, and to look through all of them once.
 */
export const WARM_UP_MS: Readonly<Record<LoadName, number>> = {
  pair: 500,
  flows: 2500,
  imix: 500,
  veth: 500,
  tap: 500,
}
