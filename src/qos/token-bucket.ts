/** Units of time in a millisecond at most: one is 4 nanoseconds then. What is less is kept for the next frame. */
const FINEST = 250_000

/** Units until a bucket is full at most, so that a word of time is clear without doubt for three times as long. */
const LONGEST = 2 ** 29

/** Places of the words from the bucket's first. */
const EMPTY_AT = 0
/** The second in which the bucket was last looked after, plus one; 0: never, and it is full. */
const SECOND = 1
/** What the first word is counted in, as the bits of a float: units in a millisecond or, where they are the finest, less the units of a full bucket. */
const SCALE = 2

/** Milliseconds without others after which an lcore takes itself for the only one. */
const ALONE_MS = 10

/** What it need not tell of then, as a share of a full bucket, and in milliseconds of its rate. */
const UNTOLD_SHARE = 1 / 64
const UNTOLD_MS = 0.02

/** How much may pass: of bytes, of bits, of frames. */
export interface TokenRate {
  /** A second. 0: the bucket is full at first, and filled by {@link TokenBucket.add} alone. */
  readonly rate: number
  /** At once. */
  readonly burst: number
}

/** A time as buckets take it: an object, because a number with a fraction is one anyway when it is passed on. */
export class BucketTime {
  /** Milliseconds on a clock that all lcores share: `burst.now`. */
  ms = 0
  /** Plus one, so that it is not 0. */
  second = 1
  /** Whole ticks of 4 nanoseconds since that second began; after {@link count}. */
  ticks = 0
  /** The `ms` that they are of. */
  counted = 0

  /** So small that V8 inlines it: passed on, the number would be an object. */
  set(ms: number): void {
    this.ms = ms
    this.second = ((ms * 0.001) | 0) + 1
  }

  /** Has {@link ticks} be of this time. Not every bucket wants them. */
  count(): void {
    const { ms } = this
    this.ticks = Math.floor(ms * FINEST) - (this.second - 1) * (1000 * FINEST)
    this.counted = ms
  }
}

/**
 * One lcore's view of a token bucket that several lcores take from. For each burst: `open`, `take` for each frame, `close`.
 * Or `takeAll`, for all of a burst at once.
 *
 * A bucket that fills at an even rate is known by the moment at which it was, or would have been, empty: what it holds is
 * the time since then. That is one word of shared memory, changed by one compare-and-exchange for as many frames as are
 * expected of a burst. Nobody waits, and an lcore that ends in between costs the tokens of that burst and leaves no lock
 * behind. (The virtual scheduling form of the leaky bucket, ITU-T I.371 annex A.) What is less than a unit of time is kept
 * by each lcore, so that in the long run rounding neither wins nor loses anything.
 */
export class TokenBucket {
  /** Words of memory that a bucket takes; zeroes are a full one. */
  static readonly WORDS = 3

  readonly #words: Int32Array
  #at: number
  readonly #perMs: number
  /** Tells other lcores what this one counts in. */
  readonly #scale: number
  readonly #burst: number
  /** Units that a token costs. */
  readonly #price: number
  /** Units of a full bucket. */
  readonly #most: number
  /** Units of this bucket in a tick: 1 or less. */
  readonly #perTick: number
  /**
   * Ticks in which a token and a full bucket are filled, and what others need not know to be missing of a nearly full one.
   * What `takeAll` needs is a number from the start, or V8 would look at it each time.
   */
  readonly #tokenTicks: number = 0
  readonly #mostTicks: number = 0
  readonly #untoldTicks: number
  /** Seconds without a look after which a bucket is full whatever its word says. */
  readonly #clearFor: number
  /** Time of the burst in units, modulo 2^32. */
  #now = 0
  /** Units fetched and not used yet; or less than one too few, by rounding. */
  #held = 0
  /** Units fetched for this burst, and used of what was fetched for the one before. */
  #fetched = 0
  #expected = 0
  /** Price of a frame for which this burst did not find enough. */
  #missed = Number.POSITIVE_INFINITY
  /** The shared moment as this lcore left it. */
  #told = 0
  /** Second in which this lcore last wrote the shared moment. */
  #second = 0
  /** That moment in ticks since then, and the true one; they differ by what this lcore has not told of. */
  #toldTicks = 0
  #emptyTicks = 0
  /** Ticks that are to be left of what is not told of: more than a full bucket has, unless this lcore is the only one. */
  #leastTicks = Number.POSITIVE_INFINITY
  /** Milliseconds since which nobody else has written it. */
  #aloneSince = 0
  /** What the bucket had no room for, as a share of a full one; for who takes it, and sets it to 0. */
  spilled = 0

  /**
   * @param words - shared memory
   * @param at - index of the bucket's first word
   * @throws RangeError for a rate below 0, or a burst that is not above 0
   */
  constructor(words: Int32Array, at: number, { rate, burst }: TokenRate) {
    if (!(rate >= 0) || !(burst > 0)) {
      throw new RangeError(`a token bucket cannot have a rate of ${rate} and a burst of ${burst}`)
    }
    this.#words = words
    this.#at = at
    this.#burst = burst
    this.#perMs = Math.fround(Math.min(FINEST, (LONGEST * rate) / (1000 * burst)))
    this.#price = rate === 0 ? LONGEST / burst : (1000 * this.#perMs) / rate
    const isFinest = this.#perMs === FINEST
    this.#most = isFinest ? floatAbove(burst * this.#price) : Math.ceil(burst * this.#price)
    this.#perTick = rate === 0 ? 1 : this.#perMs / FINEST
    this.#tokenTicks = this.#price / this.#perTick
    this.#mostTicks = this.#most / this.#perTick
    this.#untoldTicks = Math.min(this.#most * UNTOLD_SHARE, this.#perMs * UNTOLD_MS) / this.#perTick
    this.#scale = bitsOf(isFinest ? -this.#most : this.#perMs)
    this.#clearFor = (2 ** 31 - this.#most) / (1000 * this.#perMs) - 2
  }

  /** Looks at another bucket of the same rate from now on; while closed. */
  moveTo(at: number): void {
    this.#at = at
  }

  /**
   * Begins with a burst.
   *
   * @param time - the same clock for all lcores
   * @param expected - how much will be taken; default as much as of the burst before
   */
  open(time: BucketTime, expected = 0): void {
    const { second } = time
    this.#now = (time.ms * this.#perMs) | 0
    this.#missed = Number.POSITIVE_INFINITY
    if (expected > 0) this.#expected = Math.min(this.#most, Math.ceil(expected * this.#price))
    if (this.#emptyTicks !== this.#toldTicks) this.#tell(second)
    // Plain loads, as V8 calls a function for atomic ones: what seems to be due is looked at again there.
    if (this.#words[this.#at + SCALE] !== this.#scale) this.#adopt(time)
    if (second > (this.#words[this.#at + SECOND] as number)) this.#lookAfter(second)
  }

  /** Takes the tokens of `amount`, or none and returns false when there are not enough. */
  take(amount: number): boolean {
    const price = amount * this.#price
    if (price > this.#held && !this.#fetchFor(amount, price)) return false
    this.#held -= price
    return true
  }

  /**
   * Takes the tokens of `amount`, or none and returns false when there are not enough: what `take` does, without `open` and
   * `close`. What the bucket had no room for is not counted.
   *
   * An lcore that has been the only one to take for 10 ms keeps what it takes to itself while that leaves the bucket nearly
   * full: no more is missing than a 64th, and than is filled in 20 microseconds. It looks whether another came, with a plain load,
   * and tells then. So for one lcore this is exact, and of several each may pass so much too much when another comes, which
   * is not more than 0.2 % of the rate. Nothing is kept from others, so an lcore that ends leaves nothing behind.
   */
  takeAll(time: BucketTime, amount: number): boolean {
    if (time.counted !== time.ms) time.count()
    const most = this.#mostTicks
    const now = time.ticks
    const all = now - this.#emptyTicks
    const level = all > most ? most : all
    const left = level - amount * this.#tokenTicks
    if (
      left < this.#leastTicks ||
      this.#words[this.#at + EMPTY_AT] !== this.#told ||
      time.second !== this.#second
    )
      return this.#takeTelling(time, amount)
    this.#emptyTicks = now - left
    return true
  }

  /** Takes back what was taken. */
  giveBack(amount: number): void {
    this.#held += amount * this.#price
    this.#missed = Number.POSITIVE_INFINITY
    // What is held is looked at when others are told.
    this.#leastTicks = Number.POSITIVE_INFINITY
  }

  /** Gives the shared bucket what was fetched and not used; at the end of a burst. */
  close(): void {
    const rest = Math.floor(this.#held)
    if (rest > 0) {
      this.#held -= rest
      Atomics.sub(this.#words, this.#at + EMPTY_AT, rest)
    }
    this.#expected = Math.max(0, this.#fetched - rest)
    this.#fetched = 0
  }

  /** Adds a share of a full bucket, while open. */
  add(share: number): void {
    this.#held += Math.min(1, share) * this.#most
    this.close()
    this.settle()
  }

  /** Has what the bucket has no room for go to {@link spilled} now. */
  settle(): void {
    const words = this.#words
    const at = this.#at + EMPTY_AT
    const emptyAt = Atomics.load(words, at)
    const beyond = ((this.#now - emptyAt) | 0) - this.#most
    if (beyond <= 0) return
    if (Atomics.compareExchange(words, at, emptyAt, (emptyAt + beyond) | 0) === emptyAt)
      this.spilled += beyond / this.#most
  }

  /** Takes what others are to know of at once. */
  #takeTelling(time: BucketTime, amount: number): boolean {
    if (amount > this.#burst) return false
    const words = this.#words
    const at = this.#at + EMPTY_AT
    const most = this.#most
    const isAlone = words[at] === this.#told
    this.open(time)
    const now = this.#now
    const price = amount * this.#price
    const units = Math.floor(price - this.#held) | 0
    let emptyAt = words[at] as number
    for (;;) {
      const all = (now - emptyAt) | 0
      const level = all > most ? most : all
      if (level < units) return false
      const after = (((now - level) | 0) + units) | 0
      const before = Atomics.compareExchange(words, at, emptyAt, after)
      if (before === emptyAt) {
        this.#told = after
        break
      }
      emptyAt = before
    }
    this.#held += units - price
    this.#second = time.second
    if (!isAlone) {
      this.#aloneSince = time.ms
      this.#leastTicks = Number.POSITIVE_INFINITY
    } else if (time.ms - this.#aloneSince >= ALONE_MS) {
      this.#leastTicks = this.#mostTicks - this.#untoldTicks
    }
    const start = this.#startOfSecond()
    const whole = Math.floor(start)
    const sinceStart = ((this.#told - (whole | 0)) | 0) - (start - whole)
    this.#toldTicks = this.#emptyTicks = sinceStart / this.#perTick
    return true
  }

  /** The start of the second that ticks are counted from, in units. */
  #startOfSecond(): number {
    return (this.#second - 1) * 1000 * this.#perMs
  }

  /** Tells others what was taken without them, less what was filled since. */
  #tell(second: number): void {
    const words = this.#words
    const at = this.#at + EMPTY_AT
    const most = this.#most
    const now = this.#now
    const start = this.#startOfSecond()
    const whole = Math.floor(start)
    const sinceStart = this.#emptyTicks * this.#perTick + (start - whole)
    const units = Math.ceil(sinceStart)
    this.#held += units - sinceStart
    const trueLevel = Math.min(most, (now - (((whole | 0) + units) | 0)) | 0)
    const owed = Math.min(most, (now - this.#told) | 0) - trueLevel
    this.#emptyTicks = this.#toldTicks
    // What is not told of is filled in less than a second.
    if (owed <= 0 || second - this.#second > 1) return
    let emptyAt = words[at] as number
    for (;;) {
      const level = Math.min(most, (now - emptyAt) | 0)
      const before = Atomics.compareExchange(words, at, emptyAt, (now - level + owed) | 0)
      if (before === emptyAt) return
      emptyAt = before
    }
  }

  #fetchFor(amount: number, price: number): boolean {
    if (price >= this.#missed || amount > this.#burst) return false
    const missing = Math.floor(price - this.#held)
    if (missing === 0 || this.#fetch(missing)) return true
    this.#missed = price
    return false
  }

  /** Fetches at least so many units if they are there, and more for the frames that come next in the burst. */
  #fetch(least: number): boolean {
    const words = this.#words
    const at = this.#at + EMPTY_AT
    const most = this.#most
    const wanted = Math.max(least, this.#expected - this.#fetched)
    // A plain load: the exchange fails if it was not the latest.
    let emptyAt = words[at] as number
    for (;;) {
      const all = (this.#now - emptyAt) | 0
      const level = all > most ? most : all
      if (level < least) return false
      const fetched = level < wanted ? level : wanted
      const before = Atomics.compareExchange(words, at, emptyAt, (this.#now - level + fetched) | 0)
      if (before === emptyAt) {
        this.#held += fetched
        this.#fetched += fetched
        if (all > most) this.spilled += (all - most) / most
        return true
      }
      emptyAt = before
    }
  }

  /**
   * Sees, for all lcores once a second, that the moment of a bucket that nobody used does not fall out of what a word can
   * tell. The moment comes before the second: who finds the second done finds the moment right, and if two lcores do this
   * at once the exchange of the later one fails.
   */
  #lookAfter(second: number): void {
    const words = this.#words
    const at = this.#at
    const seen = Atomics.load(words, at + SECOND)
    if (second <= seen) return
    const emptyAt = Atomics.load(words, at + EMPTY_AT)
    if (seen === 0 || second - seen > this.#clearFor) {
      const full = (this.#now - this.#most) | 0
      if (Atomics.compareExchange(words, at + EMPTY_AT, emptyAt, full) === emptyAt && seen !== 0)
        this.spilled += ((second - seen) * 1000 * this.#perMs) / this.#most
    } else {
      this.settle()
    }
    Atomics.compareExchange(words, at + SECOND, seen, second)
  }

  /** The bucket had another rate: it is to be as full as it was, as far as that can be told. */
  #adopt({ ms, second }: BucketTime): void {
    const words = this.#words
    const at = this.#at
    const scale = Atomics.load(words, at + SCALE)
    if (Atomics.compareExchange(words, at + SCALE, scale, this.#scale) !== scale) return
    const seen = Atomics.load(words, at + SECOND)
    const given = floatOf(scale)
    const perMs = given < 0 ? FINEST : given
    const most = given < 0 ? -given : LONGEST
    const isClear = second - seen < (2 ** 31 - most) / (1000 * perMs) - 2
    const before = (((ms * perMs) | 0) - Atomics.load(words, at + EMPTY_AT)) | 0
    const share = seen === 0 || !isClear ? 1 : Math.max(0, Math.min(1, before / most))
    const level = Math.floor(share * this.#most)
    Atomics.store(words, at + EMPTY_AT, (this.#now - level) | 0)
    Atomics.store(words, at + SECOND, second)
  }
}

function bitsOf(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0] as number
}

function floatOf(bits: number): number {
  return new Float32Array(Int32Array.of(bits).buffer)[0] as number
}

/** A whole number that a 32-bit float can be, at least so many and hardly more. */
function floatAbove(value: number): number {
  return Math.ceil(Math.fround(Math.ceil(value) * (1 + 2 ** -23)))
}
