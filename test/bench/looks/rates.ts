/** What sections of rates, and of what happens to a stream, have to give. */
import assert from 'node:assert/strict'
import type { QosResult } from '../../../bench/qos/section.js'
import type { RatesResult } from '../../../bench/rates/result.js'
import type { ReconnectResult } from '../../../bench/reconnect/report.js'
import type { Table } from '../../../bench/section.js'
import type { SlicesResult } from '../../../bench/slices/result.js'
import { slicesSection } from '../../../bench/slices/section.js'
import type { Looked } from '../section-check.js'

export function lookAtRates({ result }: Looked): void {
  const { runs, ratios, boundaries } = result as RatesResult
  assert.deepEqual(
    runs.map(({ name, ring, frameBytes, samples }) => [name, ring, frameBytes, samples.length]),
    ['testpmd-io', 'native-io', 'ts-io', 'vswitch-normal'].map((name) => [name, 'split', 64, 1]),
  )
  for (const run of runs) assert.ok(run.mpps > 0 && run.cyclesPerPacket > 0, run.name)
  // A host may have had the CPUs far apart for one of two only: that is no pair.
  const farOf = (name: string) => runs.find((run) => run.name === name)?.rounds[0]?.far
  const keys = ['native-io/testpmd-io', 'ts-io/testpmd-io', 'ts-io/native-io'].filter((pair) => {
    const [a, b] = pair.split('/') as [string, string]
    return farOf(a) === farOf(b)
  })
  assert.deepEqual(Object.keys(ratios).sort(), keys.map((key) => `${key}@split@64`).sort())
  for (const ratio of Object.values(ratios)) assert.ok(ratio > 0)
  assert.deepEqual(
    boundaries.map(({ ring, pairs }) => [ring, pairs.length > 0]),
    [['split', true]],
  )
}

/** One place of each slice. */
export function lookAtSlices({ result }: Looked): void {
  const slices = result as SlicesResult
  assert.deepEqual(Object.keys(slices.runs), [
    'ts-learning@split@imix',
    'ts-learning@packed-inorder@64',
    'ts-learning@split@64@queuePairs=4',
    'ts-learning@split@64@burst=256',
  ])
  for (const run of Object.values(slices.runs)) {
    assert.ok(run.mpps > 0 && run.cyclesPerPacket > 0, JSON.stringify(run))
    assert.equal(run.samples.length, 1)
  }
  const imix = slices.runs['ts-learning@split@imix']
  assert.ok(imix && Math.abs(imix.gbps - (imix.mpps * 360 * 8) / 1000) < 1e-9)

  const exhibits = slicesSection.show(slices)
  const tables = exhibits.filter((one): one is Table => one.kind === 'table')
  assert.deepEqual(
    tables.map(({ rows }) => rows[1]?.[0]),
    ['IMIX ts-learning', 'packed-inorder ts-learning', '4 ts-learning', '256 ts-learning'],
  )
  assert.equal(exhibits.filter(({ kind }) => kind === 'plot').length, 5)
  assert.equal(slicesSection.figures(slices).length, 8)
}

/** One round of our switch. */
export function lookAtReconnect({ result, said }: Looked): void {
  const { runs, ratios } = result as ReconnectResult
  assert.match(said, /\(a\) the switch is killed.*dpdk-vhost +\d+ ms/s)
  const [own] = runs
  assert.equal(own?.name, 'dpdk-vhost')
  assert.equal(own?.rounds.length, 1)
  assert.ok(own.switchGapMs > 20 && own.switchGapMs < 15_000, said)
  assert.ok(own.guestGapMs >= own.reconnectMs && own.reconnectMs > 0, said)
  assert.deepEqual(ratios, {})
}

/** One of each kind: more than nothing passes, and less than was offered. */
export function lookAtQos({ result }: Looked): void {
  const { runs } = result as QosResult
  assert.deepEqual(
    runs.map(({ name, unit, lcores }) => `${name} ${unit} ${lcores}`),
    ['policer bit/s 1', 'policer frames/s 2', 'shaper bit/s 1'],
  )
  for (const run of runs) {
    // A busy machine may hold lcores up, so less may pass: never more than bursts make of so short a time.
    assert.ok(run.real && run.error > -1 && run.error < 0.25, JSON.stringify(run))
    if (run.name === 'policer') assert.ok(1 + run.error < run.offered, JSON.stringify(run))
  }
}
