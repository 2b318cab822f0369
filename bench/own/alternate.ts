import { setTimeout as sleep } from 'node:timers/promises'
import type { Lcore } from '../../src/index.js'
import type { Pair, Slice, Totals } from './messages.js'

/** Length of the window in which a loop is measured. */
const WINDOW_MS = 30

/** Time a loop has run before its window opens: the change itself belongs to neither. */
const EDGE_MS = 5

/**
 * Changes between the C++ loop and the TypeScript program, on the same lcore, ports and rings, every few dozen
 * milliseconds. What a host does to its virtual CPUs lasts longer than that, so it meets both.
 */
export async function alternate(
  lcore: Lcore,
  totals: () => Totals,
  milliseconds: number,
): Promise<Pair[]> {
  const pairs: Pair[] = []
  const end = performance.now() + milliseconds
  while (performance.now() < end) {
    const running = lcore.nativeIo(2 * EDGE_MS + 2 * WINDOW_MS)
    const native = await slice(totals)
    await running
    pairs.push({ native, ts: await slice(totals) })
  }
  return pairs
}

async function slice(totals: () => Totals): Promise<Slice> {
  await sleep(EDGE_MS)
  const before = { time: performance.now(), ...totals() }
  await sleep(WINDOW_MS)
  const after = { time: performance.now(), ...totals() }
  const frames = after.frames - before.frames
  return {
    framesPerSecond: (1000 * frames) / (after.time - before.time),
    cyclesPerFrame: (after.busyCycles - before.busyCycles) / frames,
  }
}
