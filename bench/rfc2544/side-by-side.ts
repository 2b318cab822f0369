import type { Calibrator } from '../calibration/calibrator.js'
import type { Contender, RunningSwitch } from '../contender.js'
import { chooseMemory, freeHugepagesMiB, type Memory } from '../memory.js'
import { unlessAborted } from '../sample.js'
import { type SharedSetup, withSockets } from '../sockets.js'
import { resume, stop } from '../stopped.js'
import { Tester } from '../tester/tester.js'
import type { Trial } from '../tester/trial.js'
import { Distances } from './distances.js'
import { Staircase } from './staircase.js'

/** Loads at which all are compared: half of the switch's own rate without loss at the same distance, and the same rate for all. */
export const SIDE_LOADS = ['50%', '1Mpps'] as const
export type SideLoad = (typeof SIDE_LOADS)[number]

const SAME_RATE = 1_000_000
const SLICE_MS = 20
/** Frames flow for so long before a slice, since the caches have another switch in them. */
const LEAD_IN_MS = 3
const LINGER_MS = 5
const WARM_UP_MS = 500
const FOREVER_MS = 10_000_000

/** One slice; latencies in microseconds. */
export interface SideSlice {
  readonly load: SideLoad
  /** As {@link Distances} has it: nanoseconds for a cache line from one CPU to the other and back. */
  readonly distance: number
  readonly framesPerSecond: number
  readonly lossRatio: number
  /** Share of the slice in which the switch's thread waited for its CPU. */
  readonly waited: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
}

export interface SideRun {
  readonly name: string
  readonly slices: readonly SideSlice[]
}

/** Slices of all, in turns, and how many do not count because the distance changed meanwhile. */
export interface SideBySide {
  readonly runs: readonly SideRun[]
  readonly moved: number
}

/** A switch and a tester of its own, both stopped while others have their turn. */
interface Pair {
  readonly name: string
  readonly tester: Tester
  readonly running: RunningSwitch
  /** Rejects when either process ends by itself. */
  readonly failed: Promise<never>
  readonly rates: Map<number, Staircase>
  readonly slices: SideSlice[]
}

/**
 * Latency of all switches under the same conditions. All processes live at once; those whose turn it is not are stopped. Turns
 * take a tenth of a second, so that all meet each distance between the CPUs that lasts for seconds; it is measured between
 * any two turns, while nobody runs.
 *
 * @throws the signal's reason when it is aborted
 */
export async function sideBySide(
  contenders: readonly Contender[],
  shared: SharedSetup,
  seconds: number,
  calibrator: Calibrator,
  signal: AbortSignal,
): Promise<SideBySide> {
  const distances = new Distances()
  const measure = async (pairs: readonly Pair[]): Promise<SideBySide> => {
    const guard = <T>(work: Promise<T>) =>
      unlessAborted(Promise.race([work, ...pairs.map(({ failed }) => failed)]), signal)
    const end = performance.now() + 1000 * seconds
    let moved = 0
    let before = distances.of(await calibrator.roundTrip())
    while (performance.now() < end) {
      for (const pair of pairs) {
        signal.throwIfAborted()
        const taken = await guard(takeTurn(pair, before))
        const after = distances.of(await calibrator.roundTrip())
        if (after === before) keep(pair, before, taken)
        else moved += 1
        before = after
      }
    }
    return { runs: pairs.map(({ name, slices }) => ({ name, slices })), moved }
  }
  const memory = memoryFor(contenders.length, shared.memory)
  return withPairs(contenders, { ...shared, memory }, [], signal, measure)
}

async function withPairs(
  [contender, ...others]: readonly Contender[],
  shared: SharedSetup,
  pairs: readonly Pair[],
  signal: AbortSignal,
  measure: (pairs: readonly Pair[]) => Promise<SideBySide>,
): Promise<SideBySide> {
  if (contender === undefined) return measure(pairs)
  return withSockets(shared, async (setup) => {
    await using tester = new Tester(setup)
    await using running = await contender.start(setup)
    const failed = Promise.race([tester.failed, running.failed])
    failed.catch(() => {})
    const guard = <T>(work: Promise<T>) => unlessAborted(Promise.race([work, failed]), signal)
    await guard(Promise.all([tester.started(), running.started()]))
    await guard(running.begin(FOREVER_MS))
    await guard(tester.trial({ framesPerSecond: SAME_RATE, milliseconds: WARM_UP_MS }))
    await guard(tester.watch(running.pid, setup.cpus.switch))
    const { name } = contender
    const pair: Pair = { name, tester, running, failed, rates: new Map(), slices: [] }
    stop([tester, running])
    return await withPairs(others, shared, [...pairs, pair], signal, measure)
  })
}

/** Hugepages only where there are enough for all at once. */
function memoryFor(switches: number, memory: Memory): Memory {
  const enough = freeHugepagesMiB() >= 2 * switches * memory.mib
  return memory.kind === 'hugepages' && !enough ? chooseMemory('memfd') : memory
}

/** Slices of one turn, by load; what it found of the rate without loss is in `search`. */
interface Taken {
  readonly search: Trial
  readonly slices: readonly (readonly [SideLoad, Trial])[]
}

async function takeTurn(pair: Pair, distance: number): Promise<Taken> {
  const take = (framesPerSecond: number, milliseconds = SLICE_MS) =>
    pair.tester.trial({ framesPerSecond, milliseconds, lingerMs: LINGER_MS })
  const rates = ratesAt(pair, distance)
  const processes = [pair.tester, pair.running]
  resume(processes)
  try {
    await take(SAME_RATE, LEAD_IN_MS)
    const search = await take(rates.next)
    const slices: [SideLoad, Trial][] = [['1Mpps', await take(SAME_RATE)]]
    const zeroLoss = rates.found
    if (zeroLoss !== undefined) slices.push(['50%', await take(zeroLoss / 2)])
    return { search, slices }
  } finally {
    stop(processes)
  }
}

function keep(pair: Pair, distance: number, { search, slices }: Taken): void {
  ratesAt(pair, distance).note(search)
  for (const [load, trial] of slices) {
    const { framesPerSecond, lossRatio, latency, switchWaitedMs } = trial
    if (latency.count === 0) continue
    const [p50, p90, p99, p999] = [0.5, 0.9, 0.99, 0.999].map((q) => latency.quantile(q)) as [
      number,
      number,
      number,
      number,
    ]
    const waited = switchWaitedMs / SLICE_MS
    pair.slices.push({ load, distance, framesPerSecond, lossRatio, waited, p50, p90, p99, p999 })
  }
}

function ratesAt({ rates }: Pair, distance: number): Staircase {
  const known = rates.get(distance) ?? new Staircase()
  rates.set(distance, known)
  return known
}
