import type { Calibrator } from '../calibration/calibrator.js'
import type { Contender } from '../contender.js'
import { memoryForAll } from '../memory.js'
import { Pair } from '../pair.js'
import type { SharedSetup } from '../sockets.js'
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

/** What is known of a switch until now. */
interface Switch {
  readonly name: string
  readonly pair: Pair<Tester>
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
  const measure = async (switches: readonly Switch[]): Promise<SideBySide> => {
    const end = performance.now() + 1000 * seconds
    let moved = 0
    let before = distances.of(await calibrator.roundTrip())
    while (performance.now() < end) {
      for (const one of switches) {
        signal.throwIfAborted()
        const taken = await one.pair.guard(takeTurn(one, before))
        const after = distances.of(await calibrator.roundTrip())
        if (after === before) keep(one, before, taken)
        else moved += 1
        before = after
      }
    }
    return { runs: switches.map(({ name, slices }) => ({ name, slices })), moved }
  }
  const memory = memoryForAll(2 * contenders.length, shared.memory)
  return withSwitches(contenders, { ...shared, memory }, [], signal, measure)
}

/** Starts them one after the other, and stops each when it has warmed up. */
async function withSwitches(
  [contender, ...others]: readonly Contender[],
  shared: SharedSetup,
  switches: readonly Switch[],
  signal: AbortSignal,
  measure: (switches: readonly Switch[]) => Promise<SideBySide>,
): Promise<SideBySide> {
  if (contender === undefined) return measure(switches)
  await using pair = await Pair.start(contender, shared, (setup) => new Tester(setup), signal)
  const { name, load: tester, running, setup } = pair
  await pair.guard(tester.trial({ framesPerSecond: SAME_RATE, milliseconds: WARM_UP_MS }))
  await pair.guard(tester.watch(running.pid, setup.cpus.switch))
  pair.stop()
  const added: Switch = { name, pair, rates: new Map(), slices: [] }
  return await withSwitches(others, shared, [...switches, added], signal, measure)
}

/** Slices of one turn, by load; what it found of the rate without loss is in `search`. */
interface Taken {
  readonly search: Trial
  readonly slices: readonly (readonly [SideLoad, Trial])[]
}

async function takeTurn(one: Switch, distance: number): Promise<Taken> {
  const { pair } = one
  const take = (framesPerSecond: number, milliseconds = SLICE_MS) =>
    pair.load.trial({ framesPerSecond, milliseconds, lingerMs: LINGER_MS })
  const rates = ratesAt(one, distance)
  pair.resume()
  try {
    await take(SAME_RATE, LEAD_IN_MS)
    const search = await take(rates.next)
    const slices: [SideLoad, Trial][] = [['1Mpps', await take(SAME_RATE)]]
    const zeroLoss = rates.found
    if (zeroLoss !== undefined) slices.push(['50%', await take(zeroLoss / 2)])
    return { search, slices }
  } finally {
    pair.stop()
  }
}

function keep(one: Switch, distance: number, { search, slices }: Taken): void {
  ratesAt(one, distance).note(search)
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
    one.slices.push({ load, distance, framesPerSecond, lossRatio, waited, p50, p90, p99, p999 })
  }
}

function ratesAt({ rates }: Switch, distance: number): Staircase {
  const known = rates.get(distance) ?? new Staircase()
  rates.set(distance, known)
  return known
}
