/** Where the switch says what happens. A few words and fields that machines can search. */
export interface SwitchLog {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

export type LogFields = Readonly<Record<string, unknown>>

/** Levels of a {@link SwitchLog}. */
export type SwitchLogLevel = keyof SwitchLog

/** Lines of one source and level that may come at once. */
const BURST = 10
/** And a second after that. */
const PER_SECOND = 1
/** Sources that are remembered. */
const MOST_SOURCES = 4096

interface Bucket {
  readonly level: SwitchLogLevel
  readonly source: string
  tokens: number
  filled: number
  withheld: number
}

/** A log for what guests can cause: a few lines at once from each source, then one a second, and how many were withheld. */
export class LimitedLog {
  readonly #log: SwitchLog
  readonly #clock: () => number
  readonly #buckets = new Map<string, Bucket>()

  /** @param clock - milliseconds */
  constructor(log: SwitchLog, clock: () => number = () => performance.now()) {
    this.#log = log
    this.#clock = clock
  }

  /** @param source - what the line is about, such as `port vhost0` */
  write(level: SwitchLogLevel, source: string, message: string, fields: LogFields = {}): void {
    const bucket = this.#bucketOf(level, source)
    if (bucket.tokens < 1) {
      bucket.withheld++
      return
    }
    bucket.tokens--
    this.#tellWithheld(bucket)
    this.#log[level](message, fields)
  }

  /** To be called about once a second: tells of what was withheld from sources that fell silent. */
  flush(): void {
    for (const [key, bucket] of this.#buckets) {
      this.#refill(bucket)
      if (bucket.tokens < 1) continue
      this.#tellWithheld(bucket)
      if (bucket.tokens >= BURST) this.#buckets.delete(key)
    }
  }

  /** At their own level: who would not have seen them need not know. */
  #tellWithheld(bucket: Bucket): void {
    const { level, source, withheld } = bucket
    if (withheld === 0) return
    this.#log[level](`${source}: ${withheld} more lines were withheld`, {
      event: 'withheld',
      source,
      withheld,
    })
    bucket.withheld = 0
  }

  #bucketOf(level: SwitchLogLevel, source: string): Bucket {
    const key = `${level} ${source}`
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      // A flood of names must not become a flood of memory.
      if (this.#buckets.size >= MOST_SOURCES) this.#buckets.clear()
      bucket = { level, source, tokens: BURST, filled: this.#clock(), withheld: 0 }
      this.#buckets.set(key, bucket)
    }
    this.#refill(bucket)
    return bucket
  }

  #refill(bucket: Bucket): void {
    const now = this.#clock()
    bucket.tokens = Math.min(BURST, bucket.tokens + ((now - bucket.filled) / 1000) * PER_SECOND)
    bucket.filled = now
  }
}
