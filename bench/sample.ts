import { setTimeout as sleep } from 'node:timers/promises'
import type { Placement } from './calibration/placement.js'
import type { Contender } from './contender.js'
import { expectToGuest } from './frames.js'
import { networkOf, startLoad, WARM_UP_MS } from './load.js'
import type { Setup } from './setup.js'
import { type SharedSetup, withSockets } from './sockets.js'
import { median } from './statistics.js'
import { type Surroundings, type Window, Windows } from './windows.js'

/** The rate of a sample is the median over windows of this length, so that one disturbance does not count. */
const WINDOW_MS = 100

/** Most that a switch can take longer than that to have seen all there is. */
const SETTLING_MS = 10_000

/** Length of the window in which cycles are counted, after the others. */
export const CYCLES_MS = 200

/** One measurement of one contender. How things stood is that of the worst of its windows. */
export interface Sample extends Surroundings {
  /** Million frames a second that went through the switch, both directions together. */
  readonly mpps: number
  /** Cycles of the switch's core for each frame, without polls that found nothing. */
  readonly cyclesPerPacket: number
  /** Share of the switch's time that was not spent on polls that found nothing. */
  readonly busy: number
  /** The same of the generator. */
  readonly generatorBusy: number
  /** Mean frames of a burst, where the switch tells. */
  readonly burst: number | undefined
  /** Share of the frames that were upcalls, where the switch has such. */
  readonly upcalls?: number | undefined
  /** Frames the switch took and did not deliver. */
  readonly dropped: number
  /** Whether the CPUs were far apart: told in the end of a run, by the shortest distance of all. */
  readonly far?: boolean
  /** All windows in which the rate was measured, those that do not count too. Older reports have none. */
  readonly windows?: readonly Window<Rate>[]
}

/** Million frames a second. */
interface Rate {
  readonly mpps: number
}

/**
 * Measures one contender once. Switch and generator are started for it and killed after it: the
 * rings, the memory and the frames in flight are new for everybody.
 *
 * @throws the signal's reason when it is aborted; Error when nothing flows
 */
export async function takeSample(
  contender: Contender,
  shared: SharedSetup,
  milliseconds: number,
  placement: Placement,
  signal: AbortSignal,
): Promise<Sample> {
  signal.throwIfAborted()
  try {
    return await withSockets(shared, (setup) =>
      measure(contender, setup, milliseconds, placement, signal),
    )
  } catch (error) {
    // Timers that are aborted throw an error of their own.
    signal.throwIfAborted()
    throw error
  }
}

async function measure(
  contender: Contender,
  shared: Setup,
  milliseconds: number,
  placement: Placement,
  signal: AbortSignal,
): Promise<Sample> {
  const load = shared.load ?? contender.load
  await using network = await networkOf(load)
  const setup = network === undefined ? shared : { ...shared, network }
  await using generator = startLoad(load, setup)
  await using running = await contender.start(setup)
  const { warmUpMs = WARM_UP_MS[load] } = setup
  const wait = async (ms: number) => {
    await Promise.race([sleep(ms, undefined, { signal }), generator.failed, running.failed])
  }
  await unlessAborted(Promise.all([generator.started(), running.started()]), signal)

  // Twice what it takes: on a busy machine every answer may be late.
  await running.begin(2 * (warmUpMs + SETTLING_MS + milliseconds + CYCLES_MS) + 5000)
  await generator.begin()
  await wait(warmUpMs)
  for (
    let left = SETTLING_MS;
    left > 0 && (await running.settled?.()) === false;
    left -= WINDOW_MS
  ) {
    await wait(WINDOW_MS)
  }

  const windows = new Windows(placement, setup.cpus, running, generator)
  const rateOver = async (ms: number) => {
    await generator.rate()
    await wait(ms)
    return generator.rate()
  }
  const rates = await windows.take(Math.max(1, Math.round(milliseconds / WINDOW_MS)), async () => {
    return { mpps: (await rateOver(WINDOW_MS)) / 1e6 }
  })
  const cycles = await windows.take(1, async () => {
    await Promise.all([running.countCycles(), generator.countCycles()])
    const rate = await rateOver(CYCLES_MS)
    const [work, generatorCycles] = await Promise.all([running.work(), generator.cyclesPerFrame()])
    return { rate, work, generatorCycles }
  })

  // Last, because nothing goes round afterwards.
  const frames = await generator.takeFrames?.()
  if (frames !== undefined) (running.check?.bind(running) ?? expectToGuest)(frames)

  const mpps = median(rates.counting.map((window) => window.mpps))
  const [{ rate, work, generatorCycles }] = cycles.counting as [(typeof cycles.counting)[0]]
  if (mpps === 0 || work.frames === 0) {
    throw new Error(
      `no frames went through ${contender.name} on ${setup.ring} rings: ` +
        `the guests got ${mpps} million a second, the switch took ${work.frames} in the end`,
    )
  }
  const cyclesPerPacket = work.busyCycles / work.frames
  const worst = (of: (window: Surroundings) => number) =>
    Math.max(...[...rates.counting, ...cycles.counting].map(of))
  return {
    mpps,
    cyclesPerPacket,
    busy: (cyclesPerPacket * rate) / work.cyclesPerSecond,
    generatorBusy: (generatorCycles * rate) / work.cyclesPerSecond,
    burst: work.burst,
    upcalls: work.upcalls,
    dropped: work.dropped,
    roundTrip: worst(({ roundTrip }) => roundTrip),
    switchLost: worst(({ switchLost }) => switchLost),
    generatorLost: worst(({ generatorLost }) => generatorLost),
    windows: rates.taken,
  }
}

/** Waits for `work`, or throws the reason of the abort. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop)
  })
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', stop))
}
