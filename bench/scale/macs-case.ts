import { LearningSwitch, sharedMacTable } from '../../src/programs/learning-switch.js'
import { BURST, Bursts } from '../micro/bursts.js'
import { nanosecondsOf } from '../micro/timing.js'
import type { Case, MacsMeasured } from './case.js'
import { coprimeStep } from './walk.js'

/** Octets 4 and 5 of every address. */
const HIGH = 0x2a01

/** The learning switch, with addresses that are met in an order no cache foresees. */
export function measureMacs({
  addresses,
  limit,
  milliseconds,
}: Extract<Case, { kind: 'macs' }>): MacsMeasured {
  const table = sharedMacTable(limit)
  const program = new LearningSwitch({ table })
  const bursts = new Bursts()
  const { burst, words } = bursts
  const pairs = Math.floor(addresses / 2)
  const step = coprimeStep(pairs)
  // Each port's guests send in turn.
  const turns = [0, 0]
  let inPort = 0
  // Address `2 k` is of port 0, `2 k + 1` of port 1. A frame goes from one of the burst's port to one of the other.
  const take = () => {
    inPort ^= 1
    bursts.take(inPort)
    let at = turns[inPort] as number
    for (let i = 0; i < BURST; i++) {
      at += step
      if (at >= pairs) at -= pairs
      const source = 2 * at + inPort
      const destination = 2 * (pairs - 1 - at) + (inPort ^ 1)
      const place = (burst.offset[i] as number) >>> 1
      words[place] = ((destination << 8) | 0x02) & 0xffff
      words[place + 1] = destination >>> 8
      words[place + 2] = HIGH
      words[place + 3] = ((source << 8) | 0x02) & 0xffff
      words[place + 4] = source >>> 8
      words[place + 5] = HIGH
    }
    turns[inPort] = at
  }
  const forward = () => {
    take()
    program.burst(burst)
  }
  // All of them once.
  for (let i = 0; i < (2 * pairs) / BURST + 1; i++) forward()
  const whole = nanosecondsOf(forward, milliseconds)
  const around = nanosecondsOf(take, milliseconds / 2)
  if (program.stats.evictions > 0 !== addresses > limit) {
    throw new Error(`${program.stats.evictions} of ${addresses} addresses were displaced`)
  }
  return {
    kind: 'macs',
    nanosecondsPerFrame: (whole - around) / BURST,
    tableBytes: table.byteLength,
  }
}
