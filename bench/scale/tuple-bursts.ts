import type { Burst } from '../../src/burst/burst.js'
import { BURST, Bursts } from '../micro/bursts.js'
import { TUPLE } from './tuples.js'
import { coprimeStep } from './walk.js'

/** From the start of a frame to its IP addresses, in 16-bit words. */
const ADDRESSES_AT = (14 + 12) / 2

/** Bursts of frames of all these 5-tuples, in an order no cache foresees. */
export function tupleBursts(tuples: Uint16Array): { burst: Burst; take(): void } {
  const bursts = new Bursts()
  const { burst, words } = bursts
  const count = tuples.length / TUPLE
  const step = coprimeStep(count)
  let at = 0
  const take = () => {
    bursts.take()
    for (let i = 0; i < BURST; i++) {
      at += step
      if (at >= count) at -= count
      const place = ((burst.offset[i] as number) >>> 1) + ADDRESSES_AT
      for (let word = 0; word < TUPLE; word++) {
        words[place + word] = tuples[at * TUPLE + word] as number
      }
    }
  }
  return { burst, take }
}
