import type { Calibrator } from './calibrator.js'

/** CPUs are far apart when a cache line takes that many times as long between them as it can. */
const FAR = 2.5

/** Looks at the start, to see how near they can be. */
const LOOKS = 10

/** Whether that is another condition of the machine than the nearest that was seen: nothing measured in the two can be compared. */
export function isFar(roundTrip: number, shortest: number): boolean {
  return roundTrip > FAR * shortest
}

/**
 * How far the two CPUs are apart, in nanoseconds for a cache line there and back. A host moves virtual CPUs about every few
 * seconds, and frames go through cache lines: far apart, each costs two to three times as much, whoever switches.
 */
export class Distance {
  readonly #calibrator: Calibrator
  #shortest = Number.POSITIVE_INFINITY

  private constructor(calibrator: Calibrator) {
    this.#calibrator = calibrator
  }

  static async start(calibrator: Calibrator): Promise<Distance> {
    const distance = new Distance(calibrator)
    for (let look = 0; look < LOOKS; look++) {
      await distance.measure()
      await calibrator.gather()
    }
    return distance
  }

  /** Takes a few milliseconds of both CPUs. */
  async measure(): Promise<number> {
    const roundTrip = await this.#calibrator.roundTrip()
    this.#shortest = Math.min(this.#shortest, roundTrip)
    return roundTrip
  }

  /**
   * Brings the CPUs near each other, and returns how far they are in the end. Nothing may poll on them meanwhile.
   */
  async settle(limitMs: number): Promise<number> {
    const end = performance.now() + limitMs
    let roundTrip = await this.measure()
    while (this.isFar(roundTrip) && performance.now() < end) {
      await this.#calibrator.gather()
      roundTrip = await this.measure()
    }
    return roundTrip
  }

  /** By what was seen so far. */
  isFar(roundTrip: number): boolean {
    return isFar(roundTrip, this.#shortest)
  }
}
