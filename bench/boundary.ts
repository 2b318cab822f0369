import { setTimeout as sleep } from 'node:timers/promises'
import { Generator } from './generator.js'
import { WARM_UP_MS } from './load.js'
import type { Pair } from './own/messages.js'
import { OwnSwitch } from './own/own-switch.js'
import type { Ring, Setup } from './setup.js'
import { type SharedSetup, withSockets } from './sockets.js'
import { median } from './statistics.js'
import { unlessAborted } from './unless-aborted.js'

/**
 * What it costs that TypeScript decides: one lcore changes between `native-io` and `ts-io` every few dozen
 * milliseconds, in one process, over the same rings. The rows of the table come from different processes, seconds
 * apart, and on a virtual machine the distance of its CPUs may change in between.
 */
export interface Boundary {
  readonly ring: Ring
  readonly frameBytes: number
  readonly pairs: readonly Pair[]
  /** How many times as many frames `ts-io` switches as `native-io`: median over the pairs. */
  readonly ratio: number
  /** The same of the cycles a frame costs, `native-io`'s over `ts-io`'s. */
  readonly byCycles: number
  /** Cycles a frame more with TypeScript: median over the pairs. */
  readonly extraCycles: number
}

/** @throws the signal's reason when it is aborted */
export function measureBoundary(
  shared: SharedSetup,
  milliseconds: number,
  signal: AbortSignal,
): Promise<Boundary> {
  signal.throwIfAborted()
  return withSockets(shared, async (setup) => {
    const pairs = await unlessAborted(alternate(setup, milliseconds), signal)
    return {
      ring: setup.ring,
      frameBytes: setup.frameBytes,
      pairs,
      ratio: median(pairs.map(({ native, ts }) => ts.framesPerSecond / native.framesPerSecond)),
      byCycles: median(pairs.map(({ native, ts }) => native.cyclesPerFrame / ts.cyclesPerFrame)),
      extraCycles: median(pairs.map(({ native, ts }) => ts.cyclesPerFrame - native.cyclesPerFrame)),
    }
  })
}

async function alternate(setup: Setup, milliseconds: number): Promise<Pair[]> {
  await using generator = new Generator(setup)
  await using running = new OwnSwitch(setup, 'ts-io')
  await Promise.all([generator.started(), running.started()])
  await running.begin(milliseconds)
  await generator.begin()
  await sleep(WARM_UP_MS.pair)
  // Awaited here: both processes end with this function.
  return await Promise.race([running.alternate(milliseconds), generator.failed, running.failed])
}
