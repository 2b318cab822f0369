/** What sections that measure loss and latency have to give. */
import assert from 'node:assert/strict'
import type { GcResult } from '../../../bench/gc/result.js'
import type { IdleLatencyResult } from '../../../bench/idle-latency/section.js'
import type { Rfc2544Result } from '../../../bench/rfc2544/result.js'
import type { ScrapeResult } from '../../../bench/scrape/result.js'
import type { Latency } from '../../../bench/tester/latency.js'
import type { Looked } from '../section-check.js'

function assertLatency(latency: Latency): void {
  const { p50, p90, p99, p999, max } = latency
  const ascending = [0, p50, p90, p99, p999, max]
  assert.deepEqual(
    ascending,
    [...ascending].sort((a, b) => a - b),
  )
  assert.ok(latency.frames > 0 && max > 0)
  assert.ok(latency.curve.length > 0)
}

/** Rates and latencies of one switch. */
export function lookAtRfc2544({ result, said }: Looked): void {
  const { stops, runs, sideBySide } = result as Rfc2544Result
  assert.ok(stops && stops.perSecond >= 0)
  assert.deepEqual(
    runs.map(({ name, rounds }) => [name, rounds.length]),
    [['ts-io', 1]],
  )
  const [turn] = runs[0]?.rounds ?? []
  assert.ok(turn !== undefined && turn.overload > 0)
  const { zero, '0.001%': some } = turn.rates
  assert.ok(zero.framesPerSecond <= some.framesPerSecond && some.framesPerSecond < some.failed)
  assert.ok(turn.trials.length > 0)
  assertLatency(turn.latency['1Mpps'] as Latency)
  // Where no rate passed there is no half of it.
  const half = turn.latency['50%']
  if (half !== undefined) {
    const { slices = 0, testerAway = 0, switchWaited = 0, empty = 0 } = half.short ?? {}
    assert.equal(slices + testerAway + switchWaited + empty, 5)
  }
  const [beside] = sideBySide?.runs ?? []
  assert.equal(beside?.name, 'ts-io')
  for (const { p50, p90, p99, p999 } of beside.slices)
    assert.ok(0 < p50 && p50 <= p90 && p90 <= p99 && p99 <= p999)
  assert.match(said, /ts-io/)
}

/** Spinning and adaptive. */
export function lookAtIdleLatency({ result }: Looked): void {
  const { runs } = result as IdleLatencyResult
  assert.deepEqual(
    runs.map(({ name }) => name),
    ['ts-io', 'ts-io-adaptive'],
  )
  for (const { rounds } of runs) assertLatency(rounds[0] as Latency)
}

/** Each kind of work, and the collections of both isolates. */
export function lookAtGc({ result, said }: Looked): void {
  const { stops, runs } = result as GcResult
  assert.ok(stops.perSecond >= 0 && stops.share >= 0 && stops.share < 1, JSON.stringify(stops))
  assert.ok(stops.median <= stops.longest)
  const calls = Object.fromEntries(
    runs.map(({ name, rounds }) => [name, rounds[0]?.calls as number]),
  )
  assert.deepEqual(Object.keys(calls), ['quiet', 'scrapes', 'calls', 'rules'])
  assert.equal(calls.quiet, 0)
  assert.ok((calls.calls as number) > 0 && (calls.rules as number) > 0, JSON.stringify(calls))
  for (const { rounds } of runs) {
    const [round] = rounds
    assertLatency(round as Latency)
    for (const pauses of [round?.main, round?.lcore]) {
      const { count = -1, milliseconds = -1, longestMs = -1 } = pauses ?? {}
      assert.ok(count >= 0 && longestMs <= milliseconds && count > 0 === milliseconds > 0)
    }
  }
  // Calls make garbage, and so many of them make more than there is room for.
  const many = (calls.calls as number) > 2000
  assert.ok(!many || runs.some(({ rounds }) => (rounds[0]?.main.count ?? 0) > 0))
  assert.match(said, /lcore: a second/)
}

/** Scrapes of ports that all have guests, and slices with and without. */
export function lookAtScrape({ result, said }: Looked): void {
  const { ports, guests, first, scrapes, turns } = result as ScrapeResult
  assert.deepEqual([ports, guests], [8, 8])
  assert.equal(scrapes.length, 3)
  assert.ok(first > 0)
  for (const { took, ran, waited, bytes } of scrapes) {
    assert.ok(took > 0 && ran > 0 && waited >= 0, `${took} ${ran} ${waited}`)
    assert.ok(bytes > 10_000)
  }
  assert.equal(turns.length, 2)
  for (const turn of turns) {
    assert.equal(turn.without.scrapes, 0)
    assert.ok(turn.with.scrapes > 0)
    for (const { p50, p99, p999, pollsPerSecond, cyclesPerFrame } of [turn.without, turn.with]) {
      assert.ok(0 < p50 && p50 <= p99 && p99 <= p999)
      assert.ok(pollsPerSecond > 0 && cyclesPerFrame > 0)
    }
  }
  assert.match(said, /With scrapes to without/)
}
