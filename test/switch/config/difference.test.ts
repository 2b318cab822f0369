/** What a reload does: everything that changed, nothing else, in an order that works. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  changeLines,
  checkConfig,
  difference,
  flowDifference,
} from '../../../src/switch/config/index.js'
import type { SwitchSpec } from '../../../src/switch/spec.js'
import { Model } from './model.js'

function specOf(value: unknown): SwitchSpec {
  const { spec, problems } = checkConfig(typeof value === 'string' ? value : JSON.stringify(value))
  assert.deepEqual(problems, [])
  return spec as SwitchSpec
}

const lines = (from: string, to: string) => {
  const { changes, pending } = difference(specOf(from), specOf(to))
  return [...changeLines(changes), ...pending]
}

const vhost = (name: string, more = '') =>
  `  - { name: ${name}, type: dpdkvhostuserclient, path: /tmp/vswitch-none/${name}${more} }\n`

suite('one thing changed', () => {
  const base = `ports:\n${vhost('a')}${vhost('b')}`
  const bridge = (more: string) => `${base}bridges: [{ name: br0${more} }]\n`
  const cases: [name: string, from: string, to: string, lines: string[]][] = [
    ['nothing', base, base, []],
    ['how it is written', base, `# other\nbridges: [{ name: br0, ageing: 300 }]\n${base}`, []],
    ['a port more', base, base + vhost('c'), ['port c: added']],
    ['a port less', base + vhost('c'), base, ['port c: removed']],
    ["a port's options", base, base.replace('none/a', 'none/x'), ['port a: made anew']],
    [
      'a tag',
      base,
      base.replace('none/a', 'none/a, tag: 5'),
      ['port a: takes part otherwise in bridge br0'],
    ],
    ['a state', base, base.replace('none/a', 'none/a, adminState: down'), ['port a: set down']],
    [
      'pins',
      base,
      base.replace('none/a', 'none/a, rxAffinity: { 0: lcore0 }'),
      ['port a: rx queues pinned otherwise'],
    ],
    ['the order of ports', base, `ports:\n${vhost('b')}${vhost('a')}`, []],
    ['settings', base, bridge(', ageing: 5'), ['bridge br0: settings changed']],
    ['a table', base, bridge(', tableSize: 64'), ['bridge br0: table of 64 addresses, empty']],
    ['a local port', base, bridge(', local: true'), ['local port br0 of bridge br0: added']],
    [
      'its address',
      bridge(', local: true'),
      bridge(', local: { addresses: [10.0.0.1/8] }'),
      ['local port br0 of bridge br0: made anew'],
    ],
    [
      'rules',
      bridge(', flows: [actions=drop, "ip,actions=drop"]'),
      bridge(', flows: ["priority=32768 actions=drop", "arp,actions=drop"]'),
      ['bridge br0: 1 rules added, 1 deleted'],
    ],
    [
      'what a rule does besides',
      bridge(
        ', flows: ["cookie=1,actions=drop", "ip,idle_timeout=5,actions=drop", "arp,hard_timeout=5,actions=drop"]',
      ),
      bridge(
        ', flows: ["cookie=2,actions=drop", "ip,idle_timeout=6,actions=drop", "arp,hard_timeout=6,actions=drop"]',
      ),
      ['bridge br0: 3 rules added, 0 deleted'],
    ],
    [
      'no rules from none given',
      base,
      bridge(', flows: []'),
      ['bridge br0: 0 rules added, 0 deleted'],
    ],
    [
      'a meter',
      bridge(', meters: [{ id: 1, rate: 5 }]'),
      bridge(', meters: [{ id: 1, rate: 6 }]'),
      ['bridge br0: meters changed'],
    ],
    [
      'a program',
      base,
      bridge(`, program: ${import.meta.filename}`),
      [`bridge br0: program ${import.meta.filename}`],
    ],
    ['a bridge', base, bridge(' }, { name: br1'), ['bridge br1: added']],
    [
      'an lcore',
      base,
      `${base}lcores: [{ burst: 8 }, {}]`,
      ['lcore lcore1: added', 'lcore lcore0: made anew'],
    ],
    ['logging', base, `${base}logging: { level: debug }`, ['logging: debug, text']],
    ['metrics', base, `${base}metrics: {}`, ['metrics: on 127.0.0.1:9475']],
    ['no metrics', `${base}metrics: {}`, base, ['metrics: not served over TCP']],
    [
      'what needs a restart',
      base,
      `${base}datapath: { mtu: 2000 }\nadmin: { mode: '0660' }`,
      ['datapath.mtu: needs a restart', 'admin.mode: needs a restart'],
    ],
  ]
  for (const [name, from, to, expected] of cases) {
    test(name, () => assert.deepEqual(lines(from, to), expected))
  }

  test('two ports change sockets: both go before any comes', () => {
    const to = base
      .replace('none/a', 'none/x')
      .replace('none/b', 'none/a')
      .replace('none/x', 'none/b')
    const { changes } = difference(specOf(base), specOf(to))
    assert.deepEqual(
      changes.map(({ type }) => type),
      ['portRemoved', 'portRemoved', 'portAdded', 'portAdded'],
    )
  })

  test('10,000 rules of which one changed are compared in a moment', () => {
    const rules = Array.from(
      { length: 10_000 },
      (_, i) => `ip,nw_src=10.0.${i >> 8}.${i & 255},actions=drop`,
    )
    const other = [...rules.slice(0, -1), 'ip,nw_src=10.1.0.0/16,actions=drop']
    const { add, delete: gone } = flowDifference(rules, other)
    assert.deepEqual(add, ['ip,nw_src=10.1.0.0/16,actions=drop'])
    assert.deepEqual(gone, ['table=0,priority=32768,ip,nw_src=10.0.39.15'])
  })
})

/** Numbers that are the same for the same seed (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** A configuration out of few names, so that two of them have much in common. */
function randomConfig(below: (limit: number) => number): unknown {
  const one = <T>(...of: T[]) => of[below(of.length)] as T
  const some = <T>(of: T[]) => of.filter(() => below(2) === 0)
  const maybe = (key: string, value: () => unknown) => (below(3) === 0 ? { [key]: value() } : {})
  const bridgeNames = one(['br0'], ['br0', 'br1'], ['br1'], ['br2', 'br0', 'br1'])
  const sockets = ['1', '2', '3', '4', '5'].sort(() => below(3) - 1)
  const lcoreNames = one(['l0'], ['l0', 'l1'], ['l2', 'l1'])
  const ifaces = ['t0', 't1', 't2'].sort(() => below(3) - 1)
  const ports = some(['a', 'b', 'c', 'd', 't3']).map((name, i) => ({
    name,
    ...one<object>(
      { type: 'dpdkvhostuserclient', path: `/tmp/vswitch-none/${sockets[i]}` },
      { type: 'dpdk', devargs: one('net_null0', 'net_null1') },
    ),
    bridge: one(...bridgeNames),
    ...maybe('mtu', () => one(1000, 1500)),
    ...maybe('tag', () => one(0, 5)),
    ...maybe('adminState', () => one('up', 'down')),
    ...maybe('egressShaper', () => ({ rate: one(5000, 6000) })),
    ...maybe('rxAffinity', () => ({ 0: one(...lcoreNames) })),
    ...maybe('portSecurity', () => ['02:00:00:00:00:01']),
    ...maybe('egressPolicer', () => ({ cir: one(5000, 6000), cbs: 5000 })),
  }))
  const meters = some([1, 2, 3]).map((id) => ({ id, rate: one(5, 6) }))
  const rules = [
    'actions=normal',
    'actions=drop',
    'priority=32768 , actions=normal',
    'table=1,tcp,tp_dst=80,actions=output:a',
    'in_port=a,actions=output:b',
    'in_port=a , idle_timeout=5,actions=output:b',
    'cookie=7,ip,nw_dst=10.0.0.0/8,actions=drop',
    { priority: 5, match: { arp: true }, actions: ['normal'] },
    'priority=5,arp,actions=normal',
    ...meters.map(({ id }) => `priority=${id},udp,actions=meter:${id},normal`),
  ]
  return {
    datapath: { memoryMiB: one(256, 512) },
    lcores: lcoreNames.map((name) => ({ name, ...maybe('burst', () => one(8, 16)) })),
    bridges: bridgeNames.map((name, i) => ({
      name,
      ...maybe('ageing', () => one(5, 6)),
      ...maybe('tableSize', () => one(64, 128)),
      ...maybe('local', () => ({ iface: ifaces[i], ...maybe('addresses', () => ['10.0.0.1/8']) })),
      meters,
      ...one(
        () => ({}),
        () => ({ flows: some(rules) }),
        () => ({ program: import.meta.filename }),
      )(),
      ...maybe('stormLimit', () => ({ broadcast: one(5, 6) })),
    })),
    ports,
    ...maybe('logging', () => ({ level: one('debug', 'error') })),
    ...maybe('metrics', () => ({})),
  }
}

suite('changes make one switch another', () => {
  const fresh = Math.floor(Math.random() * 2 ** 31)
  for (const seed of [1, 2, 3, 4, fresh]) {
    test(`seed ${seed}`, () => {
      const below = random(seed)
      let all = 0
      for (let i = 0; i < 60; i++) {
        const from = specOf(randomConfig(below))
        const to = specOf(randomConfig(below))
        const model = new Model(from)
        const { changes, pending } = difference(from, to)
        const stays = from.bridges.filter(({ name }) => to.bridges.some((b) => b.name === name))
        const byHand = 'table=9,priority=77,sctp,actions=drop'
        for (const { name } of stays) model.bridges.get(name)?.flows.add(byHand)
        for (const change of changes) model.apply(change)
        all += changes.length
        for (const { name } of stays) {
          assert.ok(model.rules(name).some((rule) => rule.startsWith('9 77 0 sctp')))
          model.bridges.get(name)?.flows.delete(byHand.replace(/,actions.*/, ''), { strict: true })
        }
        assert.deepEqual(model.state, new Model(to).state)
        assert.deepEqual(difference(to, to), { changes: [], pending: [] })
        const memory = from.datapath.memoryMiB !== to.datapath.memoryMiB
        assert.deepEqual(pending, memory ? ['datapath.memoryMiB: needs a restart'] : [])
        untouched(from, to, changes.map((change) => JSON.stringify(change)).join('\n'))
      }
      assert.ok(all > 200, `${all}`)
    })
  }
})

/** Ports that are in both as they are do not appear. */
function untouched(from: SwitchSpec, to: SwitchSpec, changes: string): void {
  for (const port of from.ports) {
    const same = to.ports.find((one) => JSON.stringify(one) === JSON.stringify(port))
    if (same) assert.ok(!changes.includes(`"port":"${port.port.name}"`), port.port.name)
  }
}
