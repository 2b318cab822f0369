import type { Burst } from 'dpdk-vhost'
import type { StormLimit } from '../spec.js'
import { PORT_BUCKETS, portWords, type State } from './state.js'

/** Kinds of flooded frames. */
export const Flood = { broadcast: 0, multicast: 1, unknownUnicast: 2 } as const

/** Words of a bucket: tokens, and the millisecond (modulo 2^32) up to which they were given. */
const FILLED = 1

/** Above that, whole frames are given a millisecond, which is exact enough and stays within 32 bits. */
const MANY = 1_000_000

/** Lcores read their clocks at different times. */
const SKEW_MS = 1000

interface Rate {
  /** Tokens a millisecond. */
  readonly perMs: number
  /** Tokens a frame costs. */
  readonly cost: number
  /** Most tokens: those of a second. */
  readonly depth: number
}

/**
 * How many frames a second may be flooded from a port, by kind. The buckets are shared by the lcores, without a lock: who
 * moves the time of a bucket on gives it its tokens. A bucket holds the tokens of one second.
 */
export class StormGuard {
  readonly #words: Int32Array
  #rates: readonly (Rate | undefined)[] = []

  constructor(state: State) {
    this.#words = state.words
  }

  configure({ broadcast, multicast, unknownUnicast }: StormLimit): void {
    this.#rates = [broadcast, multicast, unknownUnicast].map(rateOf)
  }

  /** Takes a token for one frame of a burst; whether there was one. */
  allows(burst: Burst, kind: number): boolean {
    const rate = this.#rates[kind]
    if (rate === undefined) return true
    const words = this.#words
    const bucket = portWords(burst.inPort) + PORT_BUCKETS + kind * 2
    this.#fill(bucket, rate, Math.floor(burst.now) | 0)
    if (Atomics.sub(words, bucket, rate.cost) >= rate.cost) return true
    Atomics.add(words, bucket, rate.cost)
    return false
  }

  #fill(bucket: number, { perMs, depth }: Rate, ms: number): void {
    const words = this.#words
    const filled = Atomics.load(words, bucket + FILLED)
    if (filled === ms) return
    const elapsed = (ms - filled) | 0
    if (elapsed < 0 && elapsed > -SKEW_MS) return
    // A new bucket, and one not used for weeks, is full.
    const tokens = elapsed < 0 || elapsed >= 1000 || filled === 0 ? depth : elapsed * perMs
    if (Atomics.compareExchange(words, bucket + FILLED, filled, ms) !== filled) return
    const have = Atomics.load(words, bucket)
    Atomics.add(words, bucket, Math.min(tokens, depth - have))
  }
}

function rateOf(limit: number | undefined): Rate | undefined {
  if (limit === undefined) return undefined
  const cost = limit > MANY ? 1 : 1000
  const depth = limit * cost
  return { cost, depth, perMs: Math.floor(depth / 1000) }
}
