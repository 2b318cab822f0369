import { z } from 'zod'

/** A meter: how much may pass. What is more is dropped. */
export interface FlowMeter {
  /** Number that rules name it by, 1 to 65535. */
  readonly id: number
  /** `kbps`: thousands of bits a second; `pktps`: frames a second. Default `kbps`. */
  readonly unit?: 'kbps' | 'pktps' | undefined
  /** How much of them in the long run. */
  readonly rate: number
  /** How much at once: thousands of bits, or frames. Default as much as in one second. */
  readonly burst_size?: number | undefined
}

export const meterSchema = z.strictObject({
  id: z.int().min(1).max(65535),
  unit: z.enum(['kbps', 'pktps']).default('kbps'),
  rate: z
    .int()
    .min(1)
    .max(2 ** 32 - 1),
  burst_size: z
    .int()
    .min(1)
    .max(2 ** 32 - 1)
    .optional(),
})

const IDS = 65536

/** Token buckets. A meter that does not exist lets nothing pass, as in OpenFlow, where a rule cannot name it. */
export class Meters {
  /** Tokens there are: bits or frames. */
  readonly #tokens = new Float64Array(IDS)
  readonly #most = new Float64Array(IDS)
  /** Tokens that come each millisecond. */
  readonly #rate = new Float64Array(IDS)
  readonly #filledAt = new Float64Array(IDS)
  readonly #countsBytes = new Uint8Array(IDS)
  #now = 0

  constructor(meters: readonly z.output<typeof meterSchema>[]) {
    for (const { id, unit, rate, burst_size = rate } of meters) {
      const scale = unit === 'kbps' ? 1000 : 1
      this.#countsBytes[id] = unit === 'kbps' ? 1 : 0
      this.#rate[id] = (rate * scale) / 1000
      this.#most[id] = burst_size * scale
      this.#tokens[id] = burst_size * scale
    }
  }

  /** Says what time it is, in milliseconds; once a burst. */
  tick(now: number): void {
    this.#now = now
  }

  /** Whether a frame of `bytes` may pass; if so, it has. */
  pass(id: number, bytes: number): boolean {
    const before = this.#filledAt[id] as number
    const came = before === 0 ? 0 : (this.#now - before) * (this.#rate[id] as number)
    this.#filledAt[id] = this.#now
    const tokens = Math.min(this.#most[id] as number, (this.#tokens[id] as number) + came)
    const price = this.#countsBytes[id] === 1 ? bytes * 8 : 1
    const may = tokens >= price
    this.#tokens[id] = may ? tokens - price : tokens
    return may
  }
}
