/**
 * A token bucket that several lcores take from.
 *
 * @packageDocumentation
 */

/** Tokens of a full bucket, whatever its size: what is in a bucket keeps its meaning when size or rate change. */
const FULL = 2 ** 30

/** Ticks of the clock of refills in a millisecond. */
const TICKS = 1024

/** Seconds after which ticks, which wrap around after 70 minutes, are not compared any more. */
const LONG = 1024

/** Least refill in tokens, so that rounding costs less than one thousandth. */
const LEAST = 1024

/** Frames' worth of tokens that are fetched together: atomic operations cost more than all else here. */
const AHEAD = 32

/** Places of the words from the bucket's first. */
const TOKENS = 0
/** Time of the last refill in ticks, modulo 2^32. */
const FILLED = 1
/** The same in seconds, plus one; 0: never, and the bucket is full. */
const SEEN = 2

/** How much may pass. */
export interface Rate {
  /** Bytes a second. */
  readonly rate: number
  /** Bytes at once. */
  readonly burst: number
}

/** A time as buckets take it: in whole numbers, which can be passed on without making objects. */
export class BucketTime {
  /** Modulo 2^32. */
  ticks = 0
  /** Plus one, so that it is not 0. */
  second = 0

  /** @param now - milliseconds */
  set(now: number): void {
    this.ticks = (now * TICKS) | 0
    this.second = ((now / 1000) | 0) + 1
  }
}

/**
 * One lcore's view of a shared bucket.
 *
 * Time and tokens are words of their own, and whoever moves the time on adds the tokens of that time. So there is no
 * lock to be left behind: an lcore that ends between the two costs the tokens of one refill, or those of the frames that
 * it fetched ahead for.
 *
 * For each burst: `refill`, `take` for each frame, `giveBack`.
 */
export class TokenBucket {
  readonly #words: Int32Array
  readonly #at: number
  readonly #tokensPerByte: number
  readonly #tokensPerTick: number
  readonly #leastTicks: number
  /** Tokens taken out of the shared bucket and not used yet; or less than one too few, by rounding. */
  #held = 0

  /**
   * @param words - shared memory
   * @param at - index of the bucket's first of three words
   */
  constructor(words: Int32Array, at: number, { rate, burst }: Rate) {
    if (!(rate > 0) || !(burst > 0)) {
      throw new RangeError(`a policer needs a rate and a burst above 0, not ${rate} and ${burst}`)
    }
    this.#words = words
    this.#at = at
    this.#tokensPerByte = FULL / burst
    this.#tokensPerTick = (FULL / burst) * (rate / 1000 / TICKS)
    this.#leastTicks = Math.max(1, Math.ceil(LEAST / this.#tokensPerTick))
  }

  /** Adds what came since the last time. @param time - the same clock for all lcores */
  refill(time: BucketTime): void {
    const words = this.#words
    const filledAt = this.#at + FILLED
    const { ticks, second } = time
    // Before `SEEN`: if both are out of date then, the exchange below fails.
    const filled = Atomics.load(words, filledAt)
    const seen = Atomics.load(words, this.#at + SEEN)
    const away = second - seen
    const elapsed = (ticks - filled) | 0
    let tokens = FULL
    if (seen !== 0) {
      if (away >= LONG) tokens = away * 1000 * TICKS * this.#tokensPerTick
      // Also where another lcore, that polled later, was here before.
      else if (elapsed < this.#leastTicks) return
      else tokens = elapsed * this.#tokensPerTick
    }
    if (Atomics.compareExchange(words, filledAt, filled, ticks) !== filled) return
    if (seen !== second) Atomics.store(words, this.#at + SEEN, second)
    this.#add(Math.min(FULL, Math.round(tokens)))
  }

  /** Takes the tokens of `bytes`, or none and returns false when there are not enough. */
  take(bytes: number): boolean {
    const price = bytes * this.#tokensPerByte
    const missing = Math.floor(price - this.#held)
    if (missing > 0 && (price > FULL || !this.#fetch(missing))) return false
    this.#held -= price
    return true
  }

  /** Gives back what was fetched and not used; at the end of a burst. */
  giveBack(): void {
    const whole = Math.floor(this.#held)
    if (whole <= 0) return
    this.#held -= whole
    this.#add(whole)
  }

  /** Fetches at least so many tokens if they are there, and more for the frames that come next in the burst. */
  #fetch(least: number): boolean {
    const words = this.#words
    let tokens = Atomics.load(words, this.#at + TOKENS)
    while (tokens >= least) {
      const fetched = Math.min(tokens, least * AHEAD)
      const before = Atomics.compareExchange(words, this.#at + TOKENS, tokens, tokens - fetched)
      if (before === tokens) {
        this.#held += fetched
        return true
      }
      tokens = before
    }
    return false
  }

  #add(more: number): void {
    const words = this.#words
    let tokens = Atomics.load(words, this.#at + TOKENS)
    for (;;) {
      const before = Atomics.compareExchange(
        words,
        this.#at + TOKENS,
        tokens,
        Math.min(FULL, tokens + more),
      )
      if (before === tokens) return
      tokens = before
    }
  }
}
