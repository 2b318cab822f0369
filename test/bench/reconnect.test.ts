/** `npm run bench -- reconnect`: its pure parts. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { UsageError } from '../../bench/arguments.js'
import { configuration, portPools, sharedPool } from '../../bench/ovs/configuration.js'
import { findOvs, parseVersion } from '../../bench/ovs/find.js'
import { moment, type Sample } from '../../bench/reconnect/measure.js'
import { ratiosOf, reconnectResult, show } from '../../bench/reconnect/report.js'
import type { Results } from '../../bench/reconnect/run.js'
import { reconnectOptions } from '../../bench/reconnect/section.js'
import { textOf } from '../../bench/text-report.js'
import { socketFolder } from '../support/loopback.js'
import { startBench } from './support.js'

function samples(...gaps: number[]): Sample[] {
  return gaps.map((gap) => ({
    switchGapMs: gap,
    switchMissing: gap * 10,
    guestGapMs: 2 * gap,
    reconnectMs: gap / 10,
  }))
}

const RESULTS: Results = {
  runs: [
    { name: 'dpdk-vhost', samples: samples(100, 300, 110) },
    { name: 'ovs-dpdk', samples: samples(400, 600, 550) },
    { name: 'testpmd', samples: samples(400, 300, 550) },
  ],
  calibrations: [
    { work: [10, 10], roundTrip: 100 },
    { work: [10, 12], roundTrip: 100 },
  ],
}

describe('the report', () => {
  const [ours, ovs] = RESULTS.runs
  assert.ok(ours && ovs)

  test('ratios are to OVS-DPDK, paired round by round', () => {
    assert.deepEqual(ratiosOf(ours, RESULTS.runs, 'switchGapMs'), [0.25, 0.5, 0.2])
    assert.equal(ratiosOf(ovs, RESULTS.runs, 'switchGapMs'), undefined)
    assert.equal(ratiosOf(ours, [ours], 'switchGapMs'), undefined)
  })

  test('the tables show medians, extremes and ratios, and what was noisy', () => {
    const result = reconnectResult({ rounds: 3, rate: 10_000, versions: {} }, RESULTS)
    const text = show(result).map(textOf).join('\n\n')
    assert.match(text, /dpdk-vhost +110 ms +100-300 +0\.25 \(0\.20-0\.50\)/)
    assert.match(text, /ovs-dpdk +550 ms +400-600$/m)
    assert.match(text, /Medians of 3 rounds/)
    assert.match(text, /the guests' CPU took up to 20 % longer/)
    assert.match(text, /unsteady: \(a\) of dpdk-vhost differs by 182 %/)
  })

  test('the JSON has the same', () => {
    const settings = { rounds: 3, rate: 10_000, versions: {} }
    const report = reconnectResult(settings, RESULTS)
    assert.equal(report.runs[0]?.switchGapMs, 110)
    assert.deepEqual(report.runs[0]?.rounds, ours.samples)
    assert.equal(report.ratios['dpdk-vhost/ovs-dpdk@switchGapMs'], 0.25)
    assert.equal(report.ratios['testpmd/ovs-dpdk@reconnectMs'], 1)
    assert.equal(Object.keys(report.ratios).length, 6)
  })
})

describe('OVS-DPDK', () => {
  test('its version, with that of DPDK', () => {
    const text = 'ovs-vswitchd (Open vSwitch) 3.1.0\nDPDK 22.11.11\n'
    assert.equal(parseVersion(text), '3.1.0, DPDK 22.11.11')
    assert.equal(parseVersion('ovs-vswitchd (Open vSwitch) 3.1.0\n'), undefined)
    assert.equal(parseVersion(''), undefined)
  })

  test('where it is missing, how to get it is said', () => {
    using folder = socketFolder()
    assert.throws(() => findOvs([folder.path]), /npm run setup -- --ovs.*openvswitch-switch-dpdk/s)
  })

  test('is configured with the memory and the CPU of everybody', () => {
    const memory = { kind: 'memfd', mib: 256, ealArgs: ['--no-huge', '-m', '256'] } as const
    const ports = [
      { name: 'vhost0', path: '/s/a', number: 1 },
      { name: 'vhost1', path: '/s/b', number: 2, columns: ['tag=5'] },
    ]
    const words = configuration('br0', ports, 5, portPools(memory)).join(' ')
    assert.match(words, /dpdk-extra="[^"]*--no-huge -m 256[^"]*" other_config:per-port-memory=true/)
    const shared = configuration('br0', ports, 5, sharedPool(memory)).join(' ')
    assert.match(shared, /dpdk-extra="[^"]*--no-huge -m 2048[^"]*"/)
    assert.doesNotMatch(shared, /per-port-memory/)
    assert.match(words, /pmd-cpu-mask="0x20"/)
    assert.match(words, /add-port br0 vhost1 tag=5 /)
    assert.match(words, /vhost1 type=dpdkvhostuserclient \S+=2 options:vhost-server-path="\/s\/b"/)
  })
})

describe('guests are restarted at moments spread over the second of librte', () => {
  for (const rounds of [3, 9, 20]) {
    test(`${rounds} rounds`, () => {
      const moments = Array.from({ length: rounds }, (_, round) => moment(round)).sort()
      const gaps = [...moments.slice(1), 1].map((at, i) => at - (moments[i] as number))
      assert.ok(moments.every((at) => at >= 0 && at < 1))
      assert.ok(Math.max(...gaps) < 2 / rounds, `${moments}`)
    })
  }
})

describe('npm run bench -- reconnect', () => {
  test('options', () => {
    const options = reconnectOptions({ effort: 'quick', only: ['testpmd', 'dpdk-vhost'] })
    assert.deepEqual(
      options.contenders.map(({ name }) => name),
      ['dpdk-vhost', 'testpmd'],
    )
    assert.ok(options.rounds >= 1)
    const wrong = { constructor: UsageError, message: /--rate: '10' is not a whole number/ }
    assert.throws(() => reconnectOptions({ effort: 'quick', options: { rate: '10' } }), wrong)
  })

  test('--help, and a wrong option', async () => {
    const help = await startBench(['reconnect', '--help']).ended
    assert.equal(help.code, 0)
    assert.match(help.stdout, /ovs-dpdk/)
    const wrong = await startBench(['reconnect', '--only', 'vpp']).ended
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /'vpp' is none of dpdk-vhost, ovs-dpdk, ovs-dpdk-lean, testpmd/)
  })
})
