import type { Distance } from './calibration/distance.js'
import { PollingThread } from './polling-thread.js'
import type { Cpus } from './setup.js'

/** A window is disturbed when others took more than this share of either CPU, */
const LOST = 0.05
/** and is then followed by another; but there are at most that many for each that is to count. */
const MOST = 2
/** Time in a sample for the CPUs to come near each other. */
const SETTLE_MS = 1000

/** How things stood in a window; nothing of it depends on what was measured there. */
export interface Surroundings {
  /** Nanoseconds for a cache line from one CPU to the other and back, the longer of before and after. */
  readonly roundTrip: number
  /** Share of the time for which the switch's core was given to others. */
  readonly switchLost: number
  /** The same of the generator's core. */
  readonly generatorLost: number
}

/** Which processes poll: both are stopped while the distance of their CPUs is measured. */
interface Polling {
  readonly pid: number
}

/** Takes the windows of one sample, with CPUs that are near each other if that is to be had. */
export class Windows {
  readonly #distance: Distance
  readonly #pids: readonly [number, number]
  readonly #threads: readonly [PollingThread, PollingThread]
  #patienceMs = SETTLE_MS
  /** Distance after the last window. */
  #last: number | undefined

  constructor(distance: Distance, cpus: Cpus, running: Polling, generator: Polling) {
    this.#distance = distance
    this.#pids = [running.pid, generator.pid]
    this.#threads = [
      new PollingThread(running.pid, cpus.switch),
      new PollingThread(generator.pid, cpus.generator),
    ]
  }

  /**
   * Takes windows until so many were undisturbed and near.
   *
   * @returns all that were taken, and those that count: without enough good ones, the least disturbed, of one distance
   */
  async take<T extends object>(count: number, measure: () => Promise<T>) {
    const isFar = (roundTrip: number) => this.#distance.isFar(roundTrip)
    const taken: (T & Surroundings)[] = []
    const good = () => taken.filter((window) => disturbance(window, isFar) < 1).length
    while (taken.length < MOST * count && good() < count) taken.push(await this.#one(measure))
    return { taken, counting: leastDisturbed(taken, count, isFar) }
  }

  async #one<T extends object>(measure: () => Promise<T>): Promise<T & Surroundings> {
    const before =
      this.#last === undefined || this.#distance.isFar(this.#last)
        ? await this.#settle()
        : this.#last
    for (const thread of this.#threads) thread.lost()
    const begun = performance.now()
    const measured = await measure()
    const elapsed = performance.now() - begun
    const [switchLost, generatorLost] = this.#threads.map((thread) => thread.lost() / elapsed)
    const after = await this.#stopped(() => this.#distance.measure())
    this.#last = after
    return {
      ...measured,
      roundTrip: Math.max(before, after),
      switchLost: switchLost as number,
      generatorLost: generatorLost as number,
    }
  }

  async #settle(): Promise<number> {
    const begun = performance.now()
    const roundTrip = await this.#stopped(() => this.#distance.settle(this.#patienceMs))
    this.#patienceMs -= performance.now() - begun
    return roundTrip
  }

  /** Frames stay where they are meanwhile: nobody takes any, and nobody sends. */
  async #stopped<T>(action: () => Promise<T>): Promise<T> {
    for (const pid of this.#pids) send(pid, 'SIGSTOP')
    try {
      return await action()
    } finally {
      for (const pid of this.#pids) send(pid, 'SIGCONT')
    }
  }
}

/** Those of one distance, the near one if there are such: so many of them, those first that others took least of the CPUs of. */
export function leastDisturbed<T extends Surroundings>(
  windows: readonly T[],
  count: number,
  isFar: (roundTrip: number) => boolean,
): T[] {
  const sorted = [...windows].sort((a, b) => disturbance(a, isFar) - disturbance(b, isFar))
  const far = isFar(sorted[0]?.roundTrip ?? 0)
  return sorted.filter(({ roundTrip }) => isFar(roundTrip) === far).slice(0, count)
}

/** Below 1 for a window that counts at once. Distance weighs most: it doubles the cost of a frame. */
function disturbance(window: Surroundings, isFar: (roundTrip: number) => boolean): number {
  const lost = Math.max(window.switchLost, window.generatorLost) / LOST
  return isFar(window.roundTrip) ? lost + 1000 : lost
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {} // it has ended, which whoever started it knows better
}
