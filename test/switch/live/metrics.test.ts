import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../../support/loopback.js'
import { Stage } from './stage.js'

/** Values by name and labels, and the comments before them. */
function read(text: string): { values: Map<string, number>; helps: string[]; types: string[] } {
  const lines = text.split('\n').filter((line) => line !== '')
  const samples = lines.filter((line) => !line.startsWith('#'))
  return {
    values: new Map(
      samples.map((line) => {
        const at = line.lastIndexOf(' ')
        return [line.slice(0, at), Number(line.slice(at + 1))]
      }),
    ),
    helps: lines.filter((line) => line.startsWith('# HELP')),
    types: lines.filter((line) => line.startsWith('# TYPE')),
  }
}

describe('metrics', () => {
  test('say what the counters say, in base units', async () => {
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

    const { values, helps, types } = read(await running.metrics())
    const of = (name: string) => values.get(name)
    assert.equal(of('vswitch_port_receive_frames_total{port="a",bridge="br0"}'), 51)
    assert.equal(of('vswitch_port_receive_bytes_total{port="a",bridge="br0"}'), 50 * 200 + 64)
    assert.equal(of('vswitch_port_transmit_frames_total{port="b",bridge="br0"}'), 50)
    const refused =
      'vswitch_port_guard_dropped_frames_total{port="a",bridge="br0",reason="port_security"}'
    assert.equal(of(refused), 1)
    assert.equal(of('vswitch_port_state{port="a",state="ready"}'), 1)
    assert.equal(of('vswitch_port_state{port="a",state="failed"}'), 0)
    assert.equal(of('vswitch_bridge_flow_rules{bridge="br0"}'), 1)
    assert.equal(of('vswitch_bridge_macs{bridge="br0"}'), 1)
    assert.equal(of('vswitch_bridge_macs_learned_total{bridge="br0"}'), 1)
    const busy = of('vswitch_lcore_busy_seconds_total{lcore="lcore0"}') ?? 0
    const all = of('vswitch_lcore_seconds_total{lcore="lcore0"}') ?? 0
    assert.ok(busy > 0 && busy < all && all < running.show().uptime + 5, `${busy} of ${all} s`)
    assert.equal(helps.length, types.length)
    for (const type of types)
      assert.match(type, / vswitch_\w+_total counter$| vswitch_\w+(?<!_total) gauge$/)

    // Ports that go take their series along.
    await running.portDelete('b')
    assert.ok(!(await running.metrics()).includes('port="b"'))
  })
})
