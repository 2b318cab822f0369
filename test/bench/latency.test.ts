/** The sections that measure loss and latency run, and write what their readers expect. Never how fast anything is. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { GcResult } from '../../bench/gc/result.js'
import type { IdleLatencyResult } from '../../bench/idle-latency/section.js'
import type { Rfc2544Result } from '../../bench/rfc2544/result.js'
import type { Latency } from '../../bench/tester/latency.js'
import { socketFolder } from '../support/loopback.js'

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url))
const skip = availableParallelism() < 2 && 'the bench needs two CPUs'

async function smoke<Result>(section: string): Promise<{ result: Result; said: string }> {
  using folder = socketFolder()
  const file = join(folder.path, 'out.json')
  const args = [MAIN, section, '--smoke', '--memory', 'memfd', '--json', file]
  const limit = { timeout: 60_000, killSignal: 'SIGKILL' } as const
  const { stdout } = await promisify(execFile)(process.execPath, args, limit)
  const report = JSON.parse(readFileSync(file, 'utf8'))
  return { result: report.sections[section].result as Result, said: stdout }
}

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

describe('loss and latency', { skip }, () => {
  test('rfc2544: rates and latencies of one switch', async () => {
    const { result, said } = await smoke<Rfc2544Result>('rfc2544')
    assert.deepEqual(
      result.runs.map(({ name, rounds }) => [name, rounds.length]),
      [['ts-io', 1]],
    )
    const [turn] = result.runs[0]?.rounds ?? []
    assert.ok(turn !== undefined && turn.overload > 0)
    const { zero, '0.001%': some } = turn.rates
    assert.ok(zero.framesPerSecond <= some.framesPerSecond && some.framesPerSecond < some.failed)
    assert.ok(turn.trials.length > 0)
    assertLatency(turn.latency['1Mpps'] as Latency)
    assert.match(said, /ts-io/)
  })

  test('idle-latency: spinning and adaptive', async () => {
    const { result } = await smoke<IdleLatencyResult>('idle-latency')
    assert.deepEqual(
      result.runs.map(({ name }) => name),
      ['ts-io', 'ts-io-adaptive'],
    )
    for (const { rounds } of result.runs) assertLatency(rounds[0] as Latency)
  })

  test('gc: each kind of work, and the collections of both isolates', async () => {
    const { result, said } = await smoke<GcResult>('gc')
    const calls = Object.fromEntries(
      result.runs.map(({ name, rounds }) => [name, rounds[0]?.calls as number]),
    )
    assert.deepEqual(Object.keys(calls), ['quiet', 'scrapes', 'calls', 'rules'])
    assert.equal(calls.quiet, 0)
    assert.ok((calls.calls as number) > 0 && (calls.rules as number) > 0, JSON.stringify(calls))
    for (const { rounds } of result.runs) {
      const [round] = rounds
      assertLatency(round as Latency)
      assert.ok((round?.main.count ?? -1) >= 0 && (round?.lcore.count ?? -1) >= 0)
    }
    assert.match(said, /lcore GCs/)
  })
})
