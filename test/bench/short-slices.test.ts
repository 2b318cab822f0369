/** p99 slice by slice, from slices that are made up: no DPDK. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Rfc2544Result } from '../../bench/rfc2544/result.js'
import { shortRatios, showShort } from '../../bench/rfc2544/short.js'
import {
  type ShortSlices,
  type ShortTrial,
  shareWithStop,
  shortSlices,
  shortSlicesOf,
} from '../../bench/tester/short-slices.js'
import type { Trial } from '../../bench/tester/trial.js'

function slice(p99: number, more: Partial<ShortTrial> = {}): ShortTrial {
  const latency = { count: 3000, quantile: (q: number) => (q === 0.99 ? p99 : Number.NaN) }
  return { longestPauseMs: 0.003, switchWaitedMs: 0, latency, ...more }
}

describe('the 99th percentile of short slices', () => {
  test('is that of a slice without a stop, as long as most have none', () => {
    const slices = [10, 11, 12, 11, 10, 60, 55].map((p99) => slice(p99))
    assert.equal(shortSlicesOf(slices).p99, 11)
  })

  test('leaves out slices of a CPU that was given to others, whatever they came to, and counts them', () => {
    const result = shortSlicesOf([
      slice(10),
      slice(12),
      slice(1, { longestPauseMs: 0.05 }),
      slice(1, { switchWaitedMs: 0.05 }),
      slice(1, { switchWaitedMs: 0.05, longestPauseMs: 0.05 }),
      slice(1, { latency: { count: 3, quantile: () => 1 } }),
    ])
    assert.deepEqual(result, { p99: 11, slices: 2, testerAway: 2, switchWaited: 1, empty: 1 })
  })

  test('takes as many as it is asked for, of a millisecond each', async () => {
    const asked: unknown[] = []
    const result = await shortSlices(
      async (request) => {
        asked.push([request.framesPerSecond, request.milliseconds])
        return slice(asked.length) as Trial
      },
      2e6,
      3,
    )
    assert.deepEqual(asked, Array(3).fill([2e6, 1]))
    assert.equal(result.p99, 2)
  })

  test('meets stops by their number', () => {
    assert.equal(shareWithStop(0), 0)
    assert.ok(Math.abs(shareWithStop(1000 * Math.LN2) - 0.5) < 1e-9)
  })
})

describe('the table of short slices', () => {
  const turn = (short: Partial<ShortSlices>) => ({
    latency: { '50%': { short: { p99: 1, slices: 9, testerAway: 1, switchWaited: 0, ...short } } },
  })
  const result = (perSecond: number) =>
    ({
      stops: { perSecond, share: 0.01, median: 30, longest: 90 },
      runs: [
        { name: 'testpmd-io', rounds: [{ p99: 10 }, { p99: 20 }, { p99: 40 }].map(turn) },
        { name: 'ts-io', rounds: [{ p99: 11 }, { p99: 24 }, { p99: 36 }].map(turn) },
      ],
    }) as unknown as Rfc2544Result

  test('pairs rounds, and says how many slices do not count', () => {
    const [table] = showShort(result(100))
    assert.ok(table?.kind === 'table')
    assert.deepEqual(table.rows.slice(1), [
      ['testpmd-io', '20.0', '10.0', '40.0', '', '27', '3', '0'],
      ['ts-io', '24.0', '11.0', '36.0', '1.10 (0.90-1.20)', '27', '3', '0'],
    ])
  })

  test('says so where the host stops the CPU in about half of the slices', () => {
    const caveats = (perSecond: number) =>
      showShort(result(perSecond)).filter((one) => one.kind === 'note' && one.caveat)
    assert.equal(caveats(300).length, 0)
    assert.equal(caveats(1000).length, 1)
  })

  test('leaves out rounds in which either has no slice that counts', () => {
    const runs = result(0).runs.map((run, i) => ({
      ...run,
      rounds: [turn({ slices: i, p99: 5 }), turn({ p99: 6 })],
    })) as unknown as Rfc2544Result['runs']
    const [reference, run] = runs
    assert.ok(reference && run)
    assert.deepEqual(shortRatios(run, reference), [1])
  })

  test('is not there for a report that has none', () => {
    assert.deepEqual(showShort({ runs: [] } as unknown as Rfc2544Result), [])
  })
})
