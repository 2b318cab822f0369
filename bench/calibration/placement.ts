import type { Calibrator, Place } from './calibrator.js'

/** CPUs are far apart when a cache line takes that many times as long between them as it can. */
const FAR = 2.5
/** A CPU shares its core when instructions that do not wait for each other take that many times as long as they can. */
const SHARED = 1.15

/** Looks at the start, to see how near they can be, and how fast. */
const LOOKS = 10

/** Whether that is another condition of the machine than the nearest that was seen: nothing measured in the two can be compared. */
export function isFar(roundTrip: number, shortest: number): boolean {
  return roundTrip > FAR * shortest
}

/**
 * Where a host runs the two CPUs: it moves virtual ones about every few seconds, and runs others' on the second hardware thread
 * of the same core. Frames go through cache lines, so far apart each costs two to three times as much, whoever switches; on half
 * a core, a third more.
 */
export class Placement {
  readonly #calibrator: Calibrator
  #shortest = Number.POSITIVE_INFINITY
  #fastest: readonly [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]

  private constructor(calibrator: Calibrator) {
    this.#calibrator = calibrator
  }

  static async start(calibrator: Calibrator): Promise<Placement> {
    const placement = new Placement(calibrator)
    for (let look = 0; look < LOOKS; look++) {
      await placement.measure()
      await calibrator.gather()
    }
    return placement
  }

  /** Takes a few milliseconds of both CPUs. */
  async measure(): Promise<Place> {
    const place = await this.#calibrator.place()
    const [ours, theirs] = place.wide
    this.#shortest = Math.min(this.#shortest, place.roundTrip)
    this.#fastest = [Math.min(this.#fastest[0], ours), Math.min(this.#fastest[1], theirs)]
    return place
  }

  /** Brings the CPUs near each other, and returns where they are in the end. Nothing may poll on them meanwhile. */
  async settle(limitMs: number): Promise<Place> {
    const end = performance.now() + limitMs
    let place = await this.measure()
    while (this.isFar(place) && performance.now() < end) {
      await this.#calibrator.gather()
      place = await this.measure()
    }
    return place
  }

  /** By what was seen so far, as {@link isShared}. */
  isFar({ roundTrip }: Place): boolean {
    return isFar(roundTrip, this.#shortest)
  }

  /** Whether somebody else runs on the core of one of the two, or both run on the same. */
  isShared({ wide }: Place): boolean {
    return wide[0] > SHARED * this.#fastest[0] || wide[1] > SHARED * this.#fastest[1]
  }
}
