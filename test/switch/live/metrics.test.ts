import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { SWITCH_METRICS } from '../../../src/switch/live/metrics.js'
import { countersOf, readExposition } from '../../support/exposition.js'
import { until } from '../../support/loopback.js'
import { findPrometheus, noPrometheus } from '../../support/prometheus.js'
import { Stage } from './stage.js'

const LIMIT = { timeout: 120_000 }

describe('metrics', () => {
  test('say what the counters say, in base units', LIMIT, async (t) => {
    await using stage = await Stage.start((at) => ({
      bridges: [{ name: 'br0', flows: ['actions=normal'] }],
      ports: [at.port('a', { portSecurity: [{ mac: '02:00:00:00:00:01' }] }), at.port('b')],
    }))
    const { switch: running } = stage
    const a = await stage.host('a', { mac: '02:00:00:00:00:01' })
    const b = await stage.host('b')
    const sent = await a.send({ to: b, frames: 50, size: 200, rate: 5000 })
    await b.delivery(sent)
    const stranger = new Uint8Array(64).fill(0xff, 0, 6)
    stranger.set([2, 0, 0, 0, 0, 9, 0x88, 0xb5], 6)
    await a.sendFrame(stranger)
    await until('it is refused', () => running.stats().ports.a?.guards.portSecurity === 1)

    const text = String(await running.metrics())
    const { values, helps, types } = readExposition(text)
    const of = (name: string) => values.get(name)
    assert.equal(of('dpdk_vhost_port_receive_frames_total{port="a",queue="0"}'), 51)
    assert.equal(of('dpdk_vhost_port_receive_bytes_total{port="a",queue="0"}'), 50 * 200 + 64)
    assert.equal(of('dpdk_vhost_port_transmit_frames_total{port="b",queue="0"}'), 50)
    const guard = 'vswitch_port_guard_dropped_frames_total'
    assert.equal(of(`${guard}{port="a",reason="port_security"}`), 1)
    assert.equal(of('dpdk_vhost_port_state{port="a",state="ready"}'), 1)
    assert.equal(of('vswitch_port_info{port="a",bridge="br0",vlan_mode="trunk",tag=""}'), 1)
    assert.equal(of('vswitch_bridge_flow_rules{bridge="br0"}'), 1)
    assert.equal(of('vswitch_bridge_macs{bridge="br0"}'), 1)
    assert.equal(of('vswitch_bridge_macs_learned_total{bridge="br0"}'), 1)
    assert.equal(of('vswitch_ready'), 1)
    assert.ok(Math.abs((of('vswitch_start_time_seconds') ?? 0) - Date.now() / 1000) < 60)
    assert.ok((of('process_resident_memory_bytes') ?? 0) > 2 ** 20)
    // Those of the hosts come and go.
    const open = readdirSync('/proc/self/fd').length - 1
    assert.ok(Math.abs((of('process_open_fds') ?? 0) - open) <= 5, `${open} are open`)
    const busy = of('dpdk_vhost_lcore_busy_seconds_total{lcore="lcore0"}') ?? 0
    const all = of('dpdk_vhost_lcore_seconds_total{lcore="lcore0"}') ?? 0
    assert.ok(busy > 0 && busy < all && all < running.show().uptime + 5, `${busy} of ${all} s`)
    assert.deepEqual([...helps.keys()], [...types.keys()])
    for (const { name, type } of SWITCH_METRICS) {
      assert.match(name, /^vswitch_[a-z_]+$/)
      assert.equal(type === 'counter', name.endsWith('_total'), name)
    }
    if (findPrometheus('promtool')) {
      const promtool = spawnSync(findPrometheus('promtool') as string, ['check', 'metrics'], {
        input: text,
        encoding: 'utf8',
        timeout: 60_000,
      })
      assert.deepEqual([promtool.status, promtool.stdout + promtool.stderr], [0, ''])
    } else t.diagnostic(noPrometheus || '')

    // Ports that go take their series along.
    await running.portDelete('b')
    assert.ok(!(await running.metrics()).includes('port="b"'))
  })

  test('rules with a cookie have series, others only a number', LIMIT, async () => {
    await using stage = await Stage.start((at) => ({
      bridges: [{ name: 'br0', flows: ['cookie=0x2a,priority=5,actions=normal'] }],
      ports: [at.port('a'), at.port('b')],
    }))
    const { switch: running } = stage
    const [a, b] = [await stage.host('a'), await stage.host('b')]
    await b.delivery(await a.send({ to: b, frames: 30, size: 100, rate: 5000 }))
    await running.flowAdd(
      'br0',
      Array.from({ length: 500 }, (_, i) => `priority=9,udp,tp_dst=${i},actions=drop`),
    )
    await running.flowAdd('br0', ['cookie=7,priority=9,tcp,nw_src=10.0.0.1,actions=drop'])
    const { values } = readExposition(String(await running.metrics()))
    const series = [...values.keys()].filter((one) => one.startsWith('vswitch_flow_frames_total'))
    assert.deepEqual(series, [
      'vswitch_flow_frames_total{bridge="br0",table="0",priority="5",match="",cookie="0x2a"}',
      'vswitch_flow_frames_total{bridge="br0",table="0",priority="9",match="tcp,nw_src=10.0.0.1",cookie="0x7"}',
    ])
    const frames = values.get(series[0] as string) ?? 0
    assert.ok(frames >= 30, `${frames} frames`)
    assert.equal(values.get('vswitch_bridge_flow_rules{bridge="br0"}'), 502)
    assert.equal(values.get('vswitch_bridge_flow_rules_listed{bridge="br0"}'), 2)

    await running.flowAdd(
      'br0',
      Array.from({ length: 1500 }, (_, i) => `cookie=9,priority=8,udp,tp_dst=${i},actions=drop`),
    )
    const more = readExposition(String(await running.metrics())).values
    assert.equal(more.get('vswitch_bridge_flow_rules_listed{bridge="br0"}'), 1000)
    assert.equal(running.flowsLabelled('br0').length, 1000)
  })
})

describe('readiness', () => {
  test('names ports that could not be made, and is there once they are', LIMIT, async () => {
    await using stage = await Stage.start((at) => ({
      ports: [at.port('a'), { name: 'b', type: 'dpdk', devargs: 'net_of_nobody0' }],
    }))
    const { switch: running } = stage
    const { ready, problems } = running.ready()
    assert.equal(ready, false)
    assert.equal(problems.length, 1)
    assert.match(problems[0] ?? '', /^port b: failed: .*net_of_nobody0/)
    assert.equal(readExposition(String(await running.metrics())).values.get('vswitch_ready'), 0)
    stage.write({ ports: [stage.port('a')] })
    await running.reload()
    assert.deepEqual(running.ready(), { ready: true, problems: [] })
  })

  test('names an lcore that ended; counters go on when it is back', LIMIT, async () => {
    await using stage = await Stage.start((at) => ({
      bridges: [{ name: 'br0' }],
      ports: [at.port('a'), at.port('b')],
    }))
    const { switch: running } = stage
    const a = await stage.host('a')
    await stage.host('b')
    await running.metrics()
    await a.send({ to: 'broadcast', frames: 20 })
    const frames = () => running.stats().ports.b?.tx.frames ?? 0
    await until('they are through', () => frames() >= 20)
    const before = readExposition(String(await running.metrics()))
    writeFileSync(stage.path('deadly.ts'), 'export default () => () => process.exit(3)')
    await running.programLoad('br0', stage.path('deadly.ts'), undefined)
    await a.send({ to: 'broadcast', frames: 1 })
    const problem = 'lcore lcore0: it does not run'
    await until('it is not ready', () => running.ready().problems.includes(problem))
    const gone = readExposition(String(await running.metrics()))
    assert.equal(gone.values.get('vswitch_ready'), 0)
    await until('it is again', () => running.ready().ready)
    const after = readExposition(String(await running.metrics()))
    assert.equal(after.values.get('dpdk_vhost_lcore_starts_total{lcore="lcore0"}'), 2)
    for (const [series, value] of countersOf(before)) {
      const now = after.values.get(series) ?? -1
      assert.ok(now >= value, `${series}: ${value}, then ${now}`)
    }
  })
})
