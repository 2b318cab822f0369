/** The bench runs, and writes what its readers expect. Never how fast it is: that is no matter of right and wrong. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Report } from '../../bench/json-report.js'
import { findOvs } from '../../bench/ovs/find.js'
import type { RatesResult } from '../../bench/rates/result.js'
import { socketFolder } from '../support/loopback.js'
import { startBench } from './support.js'

const skip = availableParallelism() < 2 && 'the bench needs two CPUs'

/** One short round of these switches. */
async function measure(only: string, rings: string) {
  using folder = socketFolder()
  const file = join(folder.path, 'out.json')
  const { code, stdout, stderr } = await startBench([
    ...['--only', only, '--rings', rings, '--rounds', '1', '--seconds', '0.4', '--retakes', '0'],
    ...['--memory', 'memfd', '--json', file],
  ]).ended
  const report = JSON.parse(readFileSync(file, 'utf8') || '{}') as Report & RatesResult
  return { code, report, said: `${stdout}\n${stderr}` }
}

function withoutOvs(): string | false {
  try {
    findOvs()
    return process.getuid?.() === 0 ? false : 'OVS needs root: its bridge is a network interface'
  } catch (error) {
    return (error as Error).message
  }
}

describe('npm run bench', () => {
  test('two switches, one ring, one round', { skip }, async () => {
    using folder = socketFolder()
    const file = join(folder.path, 'out.json')
    const only = [
      '--only',
      'native-io,ts-io',
      '--rings',
      'split',
      '--rounds',
      '1',
      '--seconds',
      '0.2',
      '--retakes',
      '0',
    ]
    const { code, stdout, stderr } = await startBench([
      ...only,
      '--memory',
      'memfd',
      '--json',
      file,
    ]).ended
    assert.equal(code, 0, stderr)
    for (const word of [
      'native-io',
      'ts-io',
      'split ring',
      'Node.js',
      'DPDK',
      'npm run bench --',
    ]) {
      assert.ok(stdout.includes(word), `${word} is missing in:\n${stdout}`)
    }

    const report = JSON.parse(readFileSync(file, 'utf8')) as Report & RatesResult
    assert.deepEqual(
      report.runs.map(({ name, ring, frameBytes }) => ({ name, ring, frameBytes })),
      [
        { name: 'native-io', ring: 'split', frameBytes: 64 },
        { name: 'ts-io', ring: 'split', frameBytes: 64 },
      ],
    )
    for (const run of report.runs) {
      assert.equal(run.samples.length, 1)
      assert.ok(run.mpps > 0 && run.cyclesPerPacket > 0, JSON.stringify(run))
    }
    assert.deepEqual(Object.keys(report.ratios), ['ts-io/native-io@split@64'])
    assert.ok((report.ratios['ts-io/native-io@split@64'] as number) > 0)
    assert.equal(report.machine.memory, 'memfd')
    for (const key of ['cpu', 'kernel', 'versions', 'hugepages', 'command'] as const) {
      assert.notEqual(report.machine[key], undefined, key)
    }
  })

  test('rules and many flows, without OVS', { skip }, async () => {
    const { code, report, said } = await measure('ts-flow2,ts-flow1000', 'packed')
    assert.equal(code, 0, said)
    assert.deepEqual(
      report.runs.map(({ name }) => name),
      ['ts-flow2', 'ts-flow1000'],
    )
    for (const run of report.runs) assert.ok(run.mpps > 0 && run.cyclesPerPacket > 0, said)
    // Their loads are not the same, so they are not compared.
    assert.deepEqual(report.ratios, {})
  })

  test('vswitch', { skip }, async () => {
    const { code, report, said } = await measure(
      'vswitch-normal,vswitch-flow2,vswitch-flow1000',
      'split',
    )
    assert.equal(code, 0, said)
    assert.equal(report.runs.length, 3)
    for (const run of report.runs) assert.ok(run.mpps > 0 && run.cyclesPerPacket > 0, said)
  })

  test('OVS-DPDK', { skip: skip || withoutOvs() }, async () => {
    const { code, report, said } = await measure('ts-flow2,ovs-flow2,ovs-normal', 'split')
    assert.equal(code, 0, said)
    for (const run of report.runs) assert.ok(run.mpps > 0 && run.cyclesPerPacket > 0, said)
    assert.deepEqual(Object.keys(report.ratios), ['ts-flow2/ovs-flow2@split@64'])
    assert.match(said, /to OVS-DPDK/)
  })

  test('a wrong option is named, with those that exist', async () => {
    const { code, stderr } = await startBench(['--only', 'testpmd']).ended
    assert.equal(code, 2)
    assert.match(stderr, /--only: 'testpmd' is none of testpmd-io, native-io/)
  })

  test('--help', async () => {
    const { code, stdout } = await startBench(['--help']).ended
    assert.equal(code, 0)
    for (const option of ['--quick', '--only', '--rings', '--rounds', '--seconds', '--json']) {
      assert.ok(stdout.includes(option), option)
    }
  })
})
