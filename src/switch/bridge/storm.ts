import type { Burst } from 'dpdk-vhost/programs/program'
import { BucketTime, TokenBucket } from 'dpdk-vhost/qos'
import type { StormLimit } from '../spec.js'
import { PORT_BUCKETS, portWords, type State } from './state.js'

/** Kinds of flooded frames. */
export const Flood = { broadcast: 0, multicast: 1, unknownUnicast: 2 } as const

/**
 * How many frames a second may be flooded from a port, by kind. The buckets are shared by the lcores, and hold the frames
 * of one second. After a burst with floods comes `close`.
 */
export class StormGuard {
  readonly #words: Int32Array
  readonly #time = new BucketTime()
  /** By kind. A burst is of one port, so one view for all ports will do. */
  #buckets: readonly (TokenBucket | undefined)[] = []
  /** Kinds whose buckets are open, a bit each. */
  #open = 0

  constructor(state: State) {
    this.#words = state.words
  }

  configure({ broadcast, multicast, unknownUnicast }: StormLimit): void {
    this.close()
    this.#buckets = [broadcast, multicast, unknownUnicast].map((limit) =>
      limit === undefined
        ? undefined
        : new TokenBucket(this.#words, 0, { rate: limit, burst: limit }),
    )
  }

  /** Takes a token for one frame of a burst; whether there was one. */
  allows(burst: Burst, kind: number): boolean {
    const bucket = this.#buckets[kind]
    if (bucket === undefined) return true
    if ((this.#open & (1 << kind)) === 0) {
      this.#open |= 1 << kind
      this.#time.set(burst.now)
      bucket.moveTo(portWords(burst.inPort) + PORT_BUCKETS + kind * TokenBucket.WORDS)
      bucket.open(this.#time)
    }
    return bucket.take(1)
  }

  /** Gives back what was fetched for frames that did not come. */
  close(): void {
    for (let kind = 0; this.#open !== 0; kind++, this.#open >>= 1)
      if ((this.#open & 1) !== 0) this.#buckets[kind]?.close()
  }
}
