/** The bench runs, and writes what its readers expect. Never how fast it is: that is no matter of right and wrong. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Report } from '../../bench/json-report.js'
import { findOvs } from '../../bench/ovs/find.js'
import type { RatesResult } from '../../bench/rates/result.js'
import { socketFolder } from '../support/loopback.js'
import { startBench } from './support.js'

const skip = availableParallelism() < 2 && 'the bench needs two CPUs'

/** One short round of these switches; temporary files are in `folder`. */
async function measure(only: string, rings: string, folder?: string) {
  using output = socketFolder()
  const file = join(output.path, 'out.json')
  const args = [
    ...['--only', only, '--rings', rings, '--rounds', '1', '--seconds', '0.2'],
    ...['--memory', 'memfd', '--json', file],
  ]
  const { code, stdout, stderr } = await startBench(args, folder ? { folder } : {}).ended
  assert.equal(code, 0, `${stdout}\n${stderr}`)
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report & RatesResult
  return { report, stdout }
}

/** A host may have had the CPUs far apart for one of two runs only: that is no pair. */
function pairs({ runs }: RatesResult, key: string): string[] {
  const [one, other] = runs.map(({ rounds }) => rounds[0]?.far)
  return one === other ? [key] : []
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
    const { report, stdout } = await measure('native-io,ts-io', 'split', folder.path)
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

    assert.deepEqual(readdirSync(folder.path), [], 'files are left')
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
    assert.deepEqual(Object.keys(report.ratios), pairs(report, 'ts-io/native-io@split@64'))
    for (const ratio of Object.values(report.ratios)) assert.ok(ratio > 0, String(ratio))
    assert.equal(report.machine.memory, 'memfd')
    for (const key of ['cpu', 'kernel', 'versions', 'hugepages', 'command'] as const) {
      assert.notEqual(report.machine[key], undefined, key)
    }
  })

  test('OVS-DPDK', { skip: skip || withoutOvs() }, async () => {
    const { report, stdout } = await measure('ts-flow2,ovs-flow2', 'split')
    for (const run of report.runs) assert.ok(run.mpps > 0 && run.cyclesPerPacket > 0, stdout)
    assert.deepEqual(Object.keys(report.ratios), pairs(report, 'ts-flow2/ovs-flow2@split@64'))
    assert.match(stdout, /to OVS-DPDK/)
  })

  test('a wrong option is named, with those that exist', async () => {
    const { code, stderr } = await startBench(['--only', 'testpmd']).ended
    assert.equal(code, 2)
    assert.match(stderr, /--only: 'testpmd' is none of testpmd-io, .*native-io/)
  })

  test('--help', async () => {
    const { code, stdout } = await startBench(['--help']).ended
    assert.equal(code, 0)
    for (const option of ['--quick', '--only', '--rings', '--rounds', '--seconds', '--json']) {
      assert.ok(stdout.includes(option), option)
    }
  })
})
