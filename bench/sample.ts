import { setTimeout as sleep } from 'node:timers/promises'
import type { Contender, RunningSwitch, Work } from './contender.js'
import { expectToGuest } from './frames.js'
import type { Network } from './kernel/network.js'
import { type Load, networkOf, startLoad, WARM_UP_MS } from './load.js'
import { Pair } from './pair.js'
import { PollingThread } from './polling-thread.js'
import type { SharedSetup } from './sockets.js'
import { median } from './statistics.js'
import {
  leastDisturbed,
  type Stopped,
  type Surroundings,
  type Window,
  type Windows,
  wantsMore,
} from './windows.js'

/** The rate of a sample is the median over windows of this length, so that one disturbance does not count. */
export const WINDOW_MS = 100

/** Frames flow for so long before a window, since the caches have another switch in them. */
const LEAD_IN_MS = 10

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

/** What was measured of cycles in a window. */
interface Cycles {
  readonly rate: number
  readonly work: Work
  readonly generatorCycles: number
}

/**
 * One sample of one contender, in parts: it is stopped between them, so that others have their turns. Switch and generator are
 * started for it and killed after it: the rings, the memory and the frames in flight are new for everybody.
 */
export class Sampling implements AsyncDisposable, Stopped {
  readonly #pair: Pair<Load>
  readonly #network: Network | undefined
  readonly #threads: readonly [PollingThread, PollingThread]
  readonly #rates: Window<Rate>[] = []
  readonly #cycles: Window<Cycles>[] = []

  private constructor(pair: Pair<Load>, network: Network | undefined) {
    const { running, load, setup } = pair
    this.#pair = pair
    this.#network = network
    this.#threads = [
      new PollingThread(running.pid, setup.cpus.switch),
      new PollingThread(load.pid, setup.cpus.generator),
    ]
  }

  /** Starts a contender, and stops it when it has warmed up. */
  static async start(
    contender: Contender,
    shared: SharedSetup,
    signal: AbortSignal,
  ): Promise<Sampling> {
    const { load: name = contender.load } = shared
    const { warmUpMs = WARM_UP_MS[name] } = shared
    const network = await networkOf(name)
    const setup = network === undefined ? shared : { ...shared, network }
    let pair: Pair<Load> | undefined
    try {
      pair = await Pair.start(contender, setup, (own) => startLoad(name, own), signal)
      await pair.guard(pair.load.begin())
      await pair.guard(sleep(warmUpMs))
      const sampling = new Sampling(pair, network)
      sampling.stop()
      return sampling
    } catch (error) {
      await pair?.[Symbol.asyncDispose]()
      await network?.[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Some more traffic, until it has seen all there is: it may have been stopped for a while. */
  async settle(): Promise<void> {
    const { running } = this.#pair
    this.resume()
    for (let left = SETTLING_MS; left > 0; left -= WINDOW_MS) {
      await this.#flow(WINDOW_MS)
      if (await this.#pair.guard(settled(running))) break
    }
    this.stop()
  }

  stop(): void {
    this.#pair.stop()
  }

  resume(): void {
    this.#pair.resume()
  }

  leadIn(): Promise<void> {
    return this.#flow(LEAD_IN_MS)
  }

  lost(): readonly [number, number] {
    const [ours, theirs] = this.#threads
    return [ours.lost(), theirs.lost()]
  }

  /** Whether it wants a further window for its rate, to have so many that count. */
  wantsRate(count: number): boolean {
    return wantsMore(this.#rates, count)
  }

  async takeRate(windows: Windows): Promise<void> {
    const measure = async () => ({ mpps: (await this.#rateOver(WINDOW_MS)) / 1e6 })
    this.#rates.push(await windows.take(this, measure))
  }

  wantsCycles(): boolean {
    return wantsMore(this.#cycles, 1)
  }

  async takeCycles(windows: Windows): Promise<void> {
    const { running, load } = this.#pair
    const window = await windows.take(this, async () => {
      await this.#pair.guard(Promise.all([running.countCycles(), load.countCycles()]))
      const rate = await this.#rateOver(CYCLES_MS)
      const told = Promise.all([running.work(), load.cyclesPerFrame()])
      const [work, generatorCycles] = await this.#pair.guard(told)
      return { rate, work, generatorCycles }
    })
    this.#cycles.push(window)
  }

  /**
   * The sample, of so many windows.
   *
   * @throws Error when what came out at the guests is wrong, or nothing did
   */
  async end(count: number): Promise<Sample> {
    const { name, running, load, setup } = this.#pair
    // Last, because nothing goes round afterwards.
    this.resume()
    await this.leadIn()
    const frames = load.takeFrames && (await this.#pair.guard(load.takeFrames()))
    if (frames !== undefined) (running.check?.bind(running) ?? expectToGuest)(frames)

    const rates = leastDisturbed(this.#rates, count)
    const mpps = median(rates.map((window) => window.mpps))
    const [cycles] = leastDisturbed(this.#cycles, 1) as [Window<Cycles>]
    const { rate, work, generatorCycles } = cycles
    if (mpps === 0 || work.frames === 0) {
      throw new Error(
        `no frames went through ${name} on ${setup.ring} rings: ` +
          `the guests got ${mpps} million a second, the switch took ${work.frames} in the end`,
      )
    }
    const cyclesPerPacket = work.busyCycles / work.frames
    const worst = (of: (window: Surroundings) => number) => Math.max(...[...rates, cycles].map(of))
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
      windows: this.#rates,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pair[Symbol.asyncDispose]()
    await this.#network?.[Symbol.asyncDispose]()
  }

  async #rateOver(milliseconds: number): Promise<number> {
    await this.#pair.guard(this.#pair.load.rate())
    await this.#flow(milliseconds)
    return this.#pair.guard(this.#pair.load.rate())
  }

  #flow(milliseconds: number): Promise<void> {
    return this.#pair.guard(sleep(milliseconds))
  }
}

async function settled(running: RunningSwitch): Promise<boolean> {
  return (await running.settled?.()) ?? true
}
