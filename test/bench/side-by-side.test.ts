/** Switches side by side, from slices that are made up: no DPDK. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Distances } from '../../bench/rfc2544/distances.js'
import { showSide, sideFigures } from '../../bench/rfc2544/show-side.js'
import type { SideRun, SideSlice } from '../../bench/rfc2544/side-by-side.js'
import { Staircase } from '../../bench/rfc2544/staircase.js'

describe('the rate without loss from slices that lie apart', () => {
  const climb = (steps: number, lossRatioAt: (rate: number, step: number) => number) => {
    const stairs = new Staircase()
    for (let i = 0; i < steps; i++) stairs.note({ lossRatio: lossRatioAt(stairs.next, i), pace: 1 })
    return stairs
  }

  test('is found from below and from above', () => {
    for (const limit of [1e6, 3e6, 9e6]) {
      const found = climb(60, (rate) => (rate > limit ? 0.1 : 0)).found as number
      assert.ok(Math.abs(found / limit - 1) < 0.1, `${found} for ${limit}`)
    }
  })

  test('is where half of the slices lose frames', () => {
    // Between 2 and 4 Mpps every other slice does.
    const found = climb(200, (rate, i) => (rate > 4e6 || (rate > 2e6 && i % 2 === 0) ? 0.1 : 0))
    assert.ok((found.found as number) > 2e6 && (found.found as number) < 4e6, `${found.found}`)
  })

  test('is not told before there are enough, and not above what the tester can send', () => {
    assert.equal(climb(9, () => 0).found, undefined)
    const stairs = new Staircase()
    for (let i = 0; i < 60; i++) stairs.note({ lossRatio: 0, pace: stairs.next > 5e6 ? 0.9 : 1 })
    assert.ok((stairs.found as number) < 5.5e6, `${stairs.found}`)
  })
})

test('distances that are nearly the same are one, and others are not', () => {
  const distances = new Distances()
  const seen = [100, 60, 124, 430, 80, 75, 520, 340].map((ns) => distances.of(ns))
  assert.deepEqual(seen, [100, 60, 100, 430, 100, 60, 430, 430])
})

describe('the table of switches side by side', () => {
  const slices = (count: number, p99: number, more: Partial<SideSlice> = {}): SideSlice[] =>
    Array.from({ length: count }, () => ({
      ...{ load: '50%', distance: 100, framesPerSecond: 2e6, lossRatio: 0, waited: 0 },
      ...{ p50: 1, p90: 2, p99, p999: 50, ...more },
    })) as SideSlice[]
  const runs: SideRun[] = [
    {
      name: 'testpmd-io',
      slices: [...slices(10, 10), ...slices(10, 20, { distance: 430 })],
    },
    {
      name: 'ts-io',
      slices: [
        ...slices(10, 12),
        ...slices(30, 99, { waited: 0.5 }),
        ...slices(10, 30, { distance: 430 }),
        ...slices(10, 7, { load: '1Mpps' }),
        ...slices(9, 1, { distance: 60 }),
      ],
    },
  ]

  test('compares slices of the same distance and load alone, and leaves out those in which others had the CPU', () => {
    const [table] = showSide({ runs, moved: 3 })
    assert.ok(table?.kind === 'table')
    const cells = table.rows.slice(1).map((row) => [row[0], row[1], row[2], row[6], row[8]])
    assert.deepEqual(cells, [
      ['testpmd-io, 50 %', '100', '10', '10.00', ''],
      ['ts-io, 50 %', '100', '10', '12.00', '1.20'],
      ['testpmd-io, 50 %', '430', '10', '20.00', ''],
      ['ts-io, 50 %', '430', '10', '30.00', '1.50'],
      ['ts-io, 1Mpps', '100', '10', '7.00', ''],
    ])
  })

  test('is empty for too few slices', () => {
    assert.deepEqual(showSide({ runs: [{ name: 'ts-io', slices: slices(9, 1) }], moved: 0 }), [])
  })

  test('gives figures of the distance that most slices have', () => {
    const figures = sideFigures('split@64', { runs, moved: 0 })
    assert.deepEqual(
      figures.map(({ key, value }) => [key, value]),
      [
        ['testpmd-io@split@64 p99 side by side at 50%', 10],
        ['ts-io@split@64 p99 side by side at 50%', 12],
        ['ts-io@split@64 p99 side by side at 1Mpps', 7],
      ],
    )
  })
})
