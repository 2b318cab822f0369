/** The search for rates, on a switch that is made up: no DPDK. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Outcome, Search } from '../../bench/rfc2544/search.js'
import { Histogram } from '../../bench/tester/histogram.js'

const RULES = { highest: 10e6, resolution: 0.01, trials: 3 }

/** Loses nothing up to one rate, little up to another, and the rest above it. */
function switchThat(clean: number, little: number) {
  return async (rate: number): Promise<Outcome> => ({
    lossRatio: rate <= clean ? 0 : rate <= little ? 0.000005 : 1 - little / rate,
    pace: 1,
  })
}

describe('the search for the highest rate', () => {
  test('finds where loss begins, for each share, and the lower share never has the higher rate', async () => {
    const search = new Search(switchThat(3e6, 7e6), RULES)
    const some = await search.find(0.00001)
    const none = await search.find(0)
    for (const [found, truth] of [
      [some, 7e6],
      [none, 3e6],
    ] as const) {
      assert.ok(found.framesPerSecond <= truth && found.failed > truth, JSON.stringify(found))
      assert.ok(found.failed - found.framesPerSecond <= RULES.resolution * found.failed)
      assert.equal(found.limit, 'switch')
    }
  })

  test('a rate whose trials lose frames now and then passes while most do not', async () => {
    const inner = switchThat(5e6, 5e6)
    let calls = 0
    const noisy = async (rate: number) => {
      calls += 1
      return calls % 3 === 0 ? { lossRatio: 0.5, pace: 1 } : inner(rate)
    }
    const found = await new Search(noisy, RULES).find(0)
    assert.ok(found.framesPerSecond <= 5e6 && found.failed > 5e6, JSON.stringify(found))
  })

  test('a rate that loses frames in most trials does not pass', async () => {
    let calls = 0
    const bad = async () => ({ lossRatio: ++calls % 3 === 0 ? 0 : 0.5, pace: 1 })
    const found = await new Search(bad, RULES).find(0)
    assert.equal(found.framesPerSecond, 0)
  })

  test('says so when the tester is too slow, not the switch', async () => {
    const run = async (rate: number) => ({ lossRatio: 0, pace: Math.min(1, 6e6 / rate) })
    const found = await new Search(run, RULES).find(0)
    assert.equal(found.limit, 'tester')
    assert.ok(found.framesPerSecond < 6.2e6 && found.failed > 6e6, JSON.stringify(found))
  })

  test('takes a trial at a rate once for all shares', async () => {
    const rates: number[] = []
    const run = switchThat(9e6, 9e6)
    const search = new Search(
      async (rate) => {
        rates.push(rate)
        return run(rate)
      },
      { ...RULES, trials: 1 },
    )
    await search.find(0.00001)
    await search.find(0)
    assert.equal(rates.length, new Set(rates).size)
    assert.equal(search.trials.length, rates.length)
  })
})

describe('a histogram', () => {
  /** Bucket of that many cycles, by the rule of native/lcore/trial.h. */
  const bucketOf = (cycles: number) => {
    if (cycles < 128) return cycles
    const octave = Math.floor(Math.log2(cycles)) - 6
    return octave * 64 + Math.floor(cycles / 2 ** octave)
  }

  test('tells quantiles to within 1.6 %, never below', () => {
    const histogram = new Histogram(
      [10, 100, 1000, 1e6].map((cycles) => [bucketOf(cycles), 25]),
      1e6,
    )
    for (const [q, cycles] of [
      [0.25, 10],
      [0.5, 100],
      [0.75, 1000],
      [1, 1e6],
    ] as const) {
      const told = histogram.quantile(q)
      assert.ok(told >= cycles && told <= 1.016 * cycles + 1, `${q}: ${told}, not ${cycles}`)
    }
  })

  test('adds up', () => {
    const one = new Histogram(
      [
        [5, 1],
        [9, 2],
      ],
      1e6,
    )
    const other = new Histogram(
      [
        [7, 4],
        [9, 1],
      ],
      1e6,
    )
    const sum = Histogram.sum([one, other])
    assert.equal(sum.count, 8)
    assert.deepEqual(
      [0, 0.5, 1].map((q) => sum.quantile(q)),
      [6, 8, 10],
    )
  })

  test('of nothing has no quantiles', () => {
    assert.ok(Number.isNaN(new Histogram([], 1e6).quantile(0.5)))
  })
})
