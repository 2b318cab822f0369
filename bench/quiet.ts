import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** A CPU that others use for less than this share counts as free. */
const USED = 0.05
const LOOK_MS = 250

/** Waits until both CPUs were free for a moment, but no longer than the time given. */
export async function waitUntilQuiet(
  cpus: readonly number[],
  patienceSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + patienceSeconds * 1000
  while (performance.now() < deadline) {
    const before = cpus.map(ticks)
    await sleep(LOOK_MS, undefined, { signal })
    const used = cpus.map((cpu, i) => shareUsed(before[i] as Ticks, ticks(cpu)))
    if (used.every((share) => share < USED)) return
  }
}

interface Ticks {
  readonly idle: number
  readonly all: number
}

function ticks(cpu: number): Ticks {
  const line =
    readFileSync('/proc/stat', 'utf8').match(new RegExp(`^cpu${cpu} (.*)$`, 'm'))?.[1] ?? ''
  // user nice system idle iowait irq softirq steal; what follows is contained in these.
  const times = line.trim().split(/\s+/).slice(0, 8).map(Number)
  return {
    idle: (times[3] ?? 0) + (times[4] ?? 0),
    all: times.reduce((sum, time) => sum + time, 0),
  }
}

function shareUsed(before: Ticks, after: Ticks): number {
  const all = after.all - before.all
  return all === 0 ? 0 : 1 - (after.idle - before.idle) / all
}
