import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Case, GcResult, GcRound, Pauses } from '../../bench/gc/result.js'
import { show } from '../../bench/gc/show.js'
import { verdict } from '../../bench/gc/verdict.js'
import { Histogram } from '../../bench/tester/histogram.js'

const NONE: Pauses = { count: 0, milliseconds: 0, longestMs: 0, share: 0 }

function round(p999: number, lcore: Pauses = NONE): GcRound {
  const latency = { frames: 1e6, p50: 5, p90: 6, p99: 20, p999, max: 500, curve: [] }
  const rest = { calls: 0, late: 0, lossRatio: 0, unjudged: 0, switchWaitedMs: 0 }
  return { ...latency, ...rest, main: NONE, lcore }
}

function resultOf(rounds: Partial<Record<Case, readonly GcRound[]>>, share = 0.01): GcResult {
  return {
    framesPerSecond: 1e6,
    seconds: 2,
    callsPerSecond: { scrapes: 10, calls: 100, rules: 20 },
    stops: { perSecond: 250, share, median: 40, longest: 90 },
    runs: Object.entries(rounds).map(([name, its]) => ({ name: name as Case, rounds: its })),
  }
}

const saidOf = (result: GcResult) => verdict(result).map(({ text }) => text)

describe('what is said of p99.9 while the control plane is busy', () => {
  const quiet = [30, 32, 34].map((p999) => round(p999))

  test('ranges that do not touch are an effect, paired round by round', () => {
    const said = saidOf(resultOf({ quiet, calls: [40, 41, 50].map((p999) => round(p999)) }))
    assert.match(said[0] as string, /stopped 250 times a second, mostly for 40 µs.*1\.00 % of the/)
    assert.match(said[1] as string, /^calls: p99\.9 is \+10\.0 \(\+9\.0 to \+16\.0\) µs, later in/)
    assert.ok(!said.some((text) => /cannot be decided/.test(text)))
    const faster = saidOf(resultOf({ quiet, calls: [20, 21, 22].map((p999) => round(p999)) }))
    assert.match(faster[1] as string, /^calls: p99\.9 is −11\.0 .* earlier in/)
  })

  test('ranges that overlap decide nothing, and it says why', () => {
    const calls = [33, 40, 41].map((p999) => round(p999))
    const notes = verdict(resultOf({ quiet, calls, rules: calls }))
    const open = notes.find(({ caveat }) => caveat)?.text as string
    assert.match(open, /What calls and rules do to p99\.9 cannot be decided on this machine/)
    assert.match(open, /30 to 34 µs, overlap, and the CPU is stopped for more of the time/)
    const still = verdict(resultOf({ quiet, calls }, 0.0001)).find(({ caveat }) => caveat)
    assert.doesNotMatch(still?.text as string, /is stopped/)
  })

  test('one round tells nothing', () => {
    const said = saidOf(resultOf({ quiet: [round(30)], calls: [round(400)] }))
    assert.match(said[1] as string, /one round tells nothing of chance/)
  })

  test("the lcore's own collections, against the frames that are beyond p99.9", () => {
    const with_ = (share: number) => {
      const lcore = { count: 3, milliseconds: 2000 * share, longestMs: 1.5, share }
      return saidOf(resultOf({ quiet, calls: quiet.map(({ p999 }) => round(p999, lcore)) })).at(-1)
    }
    assert.match(
      with_(0.0003) as string,
      /0\.030 % of the time .*1\.50 ms: less than .* not set it/,
    )
    assert.match(with_(0.002) as string, /0\.20 % of the time .* in some turns more than the/)
    assert.match(with_(0) as string, /so garbage collection does not set it/)
    assert.match(saidOf(resultOf({ quiet, calls: quiet })).at(-1) as string, /no garbage at all/)
  })

  test('tables pair each case with the quiet one, and have the pauses of both isolates', () => {
    const lcore = { count: 4, milliseconds: 2, longestMs: 0.7, share: 0.001 }
    const calls = [round(40, lcore), round(42, lcore)]
    const [latency, pauses] = show(resultOf({ quiet: quiet.slice(0, 2), calls }))
    assert.ok(latency?.kind === 'table' && pauses?.kind === 'table')
    assert.equal(latency.rows[1]?.[6], '')
    assert.equal(latency.rows[2]?.[6], '+10.0 (+10.0 to +10.0)')
    assert.deepEqual(pauses.rows[2]?.slice(0, 4), ['calls, 100 a second', '2.0', '0.70', '0.10 %'])
  })
})

test('the share of frames above a time', () => {
  const histogram = new Histogram(
    [
      [10, 900],
      [50, 90],
      [60, 10],
    ],
    1e6,
  )
  assert.equal(histogram.shareAbove(5), 1)
  assert.equal(histogram.shareAbove(20), 0.1)
  assert.equal(histogram.shareAbove(55), 0.01)
  assert.equal(histogram.shareAbove(1000), 0)
})
