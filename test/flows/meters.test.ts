import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type FlowMeter, Meters, shareMeters } from '../../src/programs/flow-table/meters.js'
import { Random, seeds } from '../headers/random.js'

const START = 777_777_123.456

/** Lcores that share one meter, with the number 1. */
function lcores(count: number, meter: Omit<FlowMeter, 'id'>): Meters[] {
  const shared = shareMeters([{ id: 1, unit: 'kbps', ...meter } as never])
  return Array.from({ length: count }, () => new Meters(shared))
}

/** Frames of `bytes` that pass at once, up to `most`. */
function passing(meters: Meters, bytes: number, most: number): number {
  let passed = 0
  while (passed < most && meters.pass(1, bytes)) passed++
  return passed
}

describe('a meter', () => {
  test('starts full, and fills no further than that', () => {
    const [one] = lcores(1, { unit: 'pktps', rate: 10, burst_size: 30 }) as [Meters]
    one.open(START)
    assert.equal(passing(one, 60, 99), 30)
    one.open(START + 100)
    assert.equal(passing(one, 60, 99), 1)
    one.open(START + 100_100)
    assert.equal(passing(one, 60, 99), 30)
  })

  test('that does not exist lets nothing pass', () => {
    const [one] = lcores(1, { rate: 1000 }) as [Meters]
    one.open(START)
    for (const id of [0, 2, 65535]) assert.equal(one.pass(id, 60), false)
  })

  // Around the times after which a word of time begins again.
  const hour = 3_600_000
  for (const pause of [0.5, 1, 1.19, 1.2, 24, 1000, 24 * 365].map((hours) => hours * hour)) {
    test(`is full after ${pause / hour} hours without a frame, and not more`, () => {
      const [one, other] = lcores(2, { unit: 'pktps', rate: 1000, burst_size: 50 }) as [
        Meters,
        Meters,
      ]
      one.open(START)
      other.open(START)
      passing(one, 60, 99)
      other.open(START + pause)
      assert.equal(passing(other, 60, 99), 50)
      one.open(START + pause)
      assert.equal(passing(one, 60, 99), 0)
      one.open(START + pause + 10)
      assert.equal(passing(one, 60, 99), 10)
    })
  }

  test('is not filled by an lcore whose clock is behind', () => {
    const [one, other] = lcores(2, { unit: 'pktps', rate: 1000, burst_size: 5 }) as [Meters, Meters]
    one.open(START)
    assert.equal(passing(one, 60, 99), 5)
    other.open(START - 700)
    assert.equal(passing(other, 60, 99), 0)
    one.open(START + 2)
    assert.equal(passing(one, 60, 99), 2)
  })
})

describe('in the long run the rate of a meter is exact', () => {
  const cases: [string, Omit<FlowMeter, 'id'>, number][] = [
    ['1 frame a second, 10 at once', { unit: 'pktps', rate: 1, burst_size: 10 }, 5000],
    [
      '7 frames a second, 1,000,000 at once',
      { unit: 'pktps', rate: 7, burst_size: 1_000_000 },
      900,
    ],
    ['33,333 frames a second', { unit: 'pktps', rate: 33_333 }, 0.03],
    ['1 kbit/s, 30 kbit at once', { rate: 1, burst_size: 30 }, 3000],
    ['100 Mbit/s, 20 kbit at once', { rate: 100_000, burst_size: 20 }, 0.02],
    ['10 Gbit/s', { rate: 10_000_000 }, 0.02],
    ['100 Gbit/s, 100 kbit at once', { rate: 100_000_000, burst_size: 100 }, 0.0003],
  ]
  for (const seed of [...seeds(), 2]) {
    for (const [name, meter, step] of cases) {
      test(`${name}, seed ${seed}`, () => {
        const count = seed % 2 === 1 ? 3 : 1
        const random = new Random(seed)
        const all = lcores(count, meter)
        const rate = meter.rate / (meter.unit === 'pktps' ? 1000 : 1)
        const tokens = (bytes: number) => (meter.unit === 'pktps' ? 1 : bytes * 8)
        let now = START
        let passed = 0
        const use = (bound: number) => {
          for (let n = 0, refused = false; n < bound && !refused; n += 32) {
            const one = random.pick(all)
            one.open(now)
            for (let i = 0; i < 32; i++) {
              const bytes = random.pick([60, 61, 333, 1514])
              if (one.pass(1, bytes)) passed += tokens(bytes)
              else refused = true
            }
            one.close()
          }
        }
        use(10_000_000)
        passed = 0
        const begin = now
        for (let i = 0; i < 20_000; i++) {
          now += (step * random.below(1000)) / 1000
          use(1000)
        }
        const expected = (now - begin) * rate
        // A frame that did not fit, a tick of the clock, and the least refill.
        const most = meter.burst_size ?? meter.rate
        const least = most * (meter.unit === 'pktps' ? 1 : 1000) * 1e-6
        const slack = tokens(1514) + rate / 65_536 + least + 3 + expected * 1e-9
        assert.ok(Math.abs(passed - expected) <= slack, `${passed} instead of ${expected}`)
      })
    }
  }
})
