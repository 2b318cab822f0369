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
 * lock to be left behind: an lcore that ends between the two costs the tokens of one refill.
 */
export class TokenBucket {
  readonly #words: Int32Array
  readonly #at: number
  readonly #tokensPerByte: number
  readonly #tokensPerTick: number
  readonly #leastTicks: number
  /** What rounding left over of the prices so far, in tokens. */
  #rest = 0

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
    const words = this.#words
    const exact = bytes * this.#tokensPerByte + this.#rest
    const price = Math.floor(exact)
    let tokens = Atomics.load(words, this.#at)
    while (tokens >= price) {
      const before = Atomics.compareExchange(words, this.#at, tokens, tokens - price)
      if (before === tokens) {
        this.#rest = exact - price
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
      const before = Atomics.compareExchange(words, this.#at, tokens, Math.min(FULL, tokens + more))
      if (before === tokens) return
      tokens = before
    }
  }
}
