/** Round trips of a cache line that differ by no more than this factor are the same distance. */
const SAME = 1.3

/** Distances between the two CPUs, as they are met: a host moves virtual CPUs between a few places. */
export class Distances {
  readonly #known: number[] = []

  /** The first that was met of those that are the same as this one, in nanoseconds. */
  of(roundTrip: number): number {
    const same = this.#known.find(
      (one) => Math.max(one, roundTrip) <= SAME * Math.min(one, roundTrip),
    )
    if (same === undefined) this.#known.push(roundTrip)
    return same ?? roundTrip
  }
}
