/** Rules and addresses of bridges that run, as they are seen and changed by hand. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { ConfigError } from 'dpdk-vhost'
import { until } from '../../support/loopback.js'
import { Stage } from './stage.js'

describe('rules by hand', () => {
  test('on two lcores: counted, changed, explained', async () => {
    await using stage = await Stage.start((at) => ({
      lcores: [{ name: 'one' }, { name: 'two' }],
      bridges: [
        {
          name: 'br0',
          meters: [{ id: 1, unit: 'pktps', rate: 100000 }],
          flows: [
            'cookie=0x1f,priority=5,in_port=a,udp,actions=meter:1,output:b',
            'priority=0,actions=normal',
          ],
        },
      ],
      ports: [
        at.port('a', { rxAffinity: { 0: 'one' } }),
        at.port('b', { rxAffinity: { 0: 'two' } }),
      ],
    }))
    const { switch: running } = stage
    const [a, b] = await Promise.all([stage.host('a'), stage.host('b')])
    assert.equal(running.show().bridges[0]?.decides, 'flows')
    await b.delivery(await a.send({ to: b, frames: 30, rate: 3000, size: 100 }))
    const [rule] = running.flows('br0', 'udp')
    assert.deepEqual(
      { ...rule, duration: 0, idle: 0 },
      {
        table: 0,
        priority: 5,
        cookie: '0x1f',
        match: 'in_port=a,udp',
        actions: 'meter:1,output:b',
        packets: 30,
        bytes: 3000,
        duration: 0,
        idle: 0,
        idleTimeout: 0,
        hardTimeout: 0,
      },
    )
    const { source, tables } = await running.flowsExplain('br0')
    assert.match(source, /rules\[/)
    assert.ok(Array.isArray(tables))

    await running.flowAdd('br0', ['priority=9,in_port=b,actions=drop'])
    await b.send({ to: a, frames: 10, rate: 3000 })
    await until(
      'the other lcore counts',
      () => running.flows('br0', 'in_port=b')[0]?.packets === 10,
    )
    assert.equal(await running.flowModify('br0', 'in_port=b,actions=normal', false), 1)
    assert.equal((await a.delivery(await b.send({ to: a, frames: 10, rate: 3000 }))).frames, 10)
    assert.deepEqual(
      await running.flowReplace('br0', ['priority=9,in_port=b,actions=normal', 'actions=drop']),
      { added: 1, deleted: 2, warnings: [] },
    )
    assert.ok((running.flows('br0', 'in_port=b')[0]?.packets ?? 0) >= 10, 'counters stay')
    assert.equal(await running.flowDelete('br0', '', false), 2)
    assert.deepEqual(running.flows('br0'), [])
    await assert.rejects(running.flowAdd('br0', ['actions=output:1,what']), ConfigError)
    await assert.rejects(running.flowDelete('br0', 'nothing=1', false), ConfigError)
  })

  test('a bridge that had none begins with what it did without', async () => {
    await using stage = await Stage.start((at) => ({ ports: [at.port('a'), at.port('b')] }))
    const { switch: running } = stage
    const a = await stage.host('a', { ip: '192.0.2.1' })
    const b = await stage.host('b', { ip: '192.0.2.2' })
    assert.deepEqual(running.flows('br0'), [])
    await running.flowAdd('br0', ['priority=5,udp,actions=drop'])
    assert.equal(running.show().bridges[0]?.decides, 'flows')
    assert.deepEqual(
      running.flows('br0').map(({ match, actions }) => [match, actions]),
      [
        ['udp', 'drop'],
        ['', 'normal'],
      ],
    )
    assert.equal((await a.ping('192.0.2.2')).received, 1)
    assert.equal((await b.delivery(await a.send({ to: b, frames: 10 }))).frames, 0)
    // While a program decides, rules are kept and can be changed; then they decide again.
    writeFileSync(stage.path('drop.ts'), 'export default () => ({ burst() {} })')
    await running.programLoad('br0', stage.path('drop.ts'), undefined)
    await running.flowDelete('br0', 'udp', false)
    await assert.rejects(running.flowsExplain('br0'), { code: 'ERR_PROGRAM' })
    assert.equal((await a.ping('192.0.2.2', { timeoutMs: 200 })).received, 0)
    await running.programUnload('br0')
    assert.equal((await b.delivery(await a.send({ to: b, frames: 10 }))).frames, 10)
  })

  test('that name a meter which the bridge does not have are refused, and change nothing', async () => {
    await using stage = await Stage.start(() => ({
      bridges: [{ name: 'br0', meters: [{ id: 1, rate: 5 }] }, { name: 'br1' }],
    }))
    const { switch: running } = stage
    const good = 'udp,actions=meter:1,normal'
    const bad = 'tcp,actions=meter:3,normal'
    const refused = {
      name: 'ConfigError',
      message: `bridge "br0": rules[1] = "${bad}" names meter 3, which there is none of; add it to the bridge's meters: { id: 3, rate: ... }`,
    }
    await assert.rejects(running.flowAdd('br0', [good, bad]), refused)
    assert.equal(running.show().bridges[0]?.decides, 'normal')
    await assert.rejects(running.flowAdd('br1', [good]), /names meter 1, which there is none of/)
    await running.flowAdd('br0', [good])
    await assert.rejects(running.flowReplace('br0', [good, bad]), refused)
    await assert.rejects(running.flowModify('br0', 'udp,actions=meter:3,normal', false), /meter 3/)
    assert.equal(running.flows('br0', 'udp')[0]?.actions, 'meter:1,normal')
    // Problems of all rules are told together, whatever they need.
    await assert.rejects(running.flowAdd('br0', [good, 'tpc,actions=drop']), /rules\[1\].*tpc/)
  })

  test('with a copy for a controller are added, with a warning', async () => {
    await using stage = await Stage.start(() => ({}))
    const { switch: running } = stage
    const rules = ['arp,actions=normal', 'udp,actions=controller']
    const warnings = [
      'rules[1] = "udp,actions=controller" has a copy for a controller, which there is none of: it goes nowhere; remove the action; the others are done as they stand',
    ]
    assert.deepEqual(await running.flowAdd('br0', rules), { warnings })
    assert.deepEqual(await running.flowReplace('br0', rules), { added: 0, deleted: 1, warnings })
    assert.deepEqual(await running.flowAdd('br0', ['tcp,actions=drop']), { warnings: [] })
  })

  test('wrong rules and selections are refused where there are no rules, and bring none', async () => {
    await using stage = await Stage.start(() => ({}))
    const { switch: running } = stage
    assert.deepEqual(running.flows('br0', 'tcp'), [])
    await assert.rejects(running.flowAdd('br0', ['tpc,actions=drop']), ConfigError)
    assert.equal(running.show().bridges[0]?.decides, 'normal')
    assert.throws(() => running.flows('br0', 'tpc'), {
      name: 'ConfigError',
      message: /tpc.*did you mean tcp\?/,
    })
  })
})

describe('rules of the file', () => {
  test('outlive other changes of their bridge', async () => {
    const config = (at: Stage, bridge: object, flows: string[]) => ({
      lcores: [{ name: 'one' }, { name: 'two' }],
      bridges: [{ name: 'br0', flows, ...bridge }],
      ports: [at.port('a', { rxAffinity: { 0: 'two' } }), at.port('b')],
    })
    const flows = ['priority=5,udp,actions=drop', 'priority=0,actions=normal']
    await using stage = await Stage.start((at) => config(at, {}, flows))
    const { switch: running } = stage
    const a = await stage.host('a', { ip: '192.0.2.1' })
    const b = await stage.host('b', { ip: '192.0.2.2' })
    const arrive = async () => (await b.delivery(await a.send({ to: b, frames: 10 }))).frames
    assert.equal(await arrive(), 0)
    // Settings; a table of another size, for which lcores begin the bridge anew; a port.
    for (const bridge of [{ ageing: 7 }, { ageing: 7, tableSize: 64 }, { tableSize: 64 }]) {
      stage.write(config(stage, bridge, flows))
      assert.equal((await running.reload()).changes.length, 1)
      assert.equal(await arrive(), 0)
      assert.equal((await a.ping('192.0.2.2')).received, 1)
    }
    await running.portAdd(stage.port('c'))
    assert.equal(await arrive(), 0)
    const dropped = () => running.flows('br0', 'udp')[0]?.packets
    assert.equal(dropped(), 50)
    // Only the rule that is another begins to count anew.
    stage.write(config(stage, {}, [flows[0] as string, 'priority=1,actions=normal']))
    await running.reload()
    assert.equal(dropped(), 50)
    stage.write({ ...config(stage, {}, []), bridges: [{ name: 'br0' }] })
    await running.reload()
    assert.equal(running.show().bridges[0]?.decides, 'normal')
    assert.equal(await arrive(), 10)
  })
})

describe('addresses', () => {
  test('are seen, forgotten, and told of when they flap', async () => {
    await using stage = await Stage.start((at) => ({
      bridges: [
        {
          name: 'br0',
          staticMacs: [{ mac: '02:00:00:00:00:aa', port: 'b' }],
          loopGuard: { moves: 5, withinMs: 60_000, holdMs: 60_000 },
        },
      ],
      ports: [at.port('a'), at.port('b')],
    }))
    const { switch: running } = stage
    const [a, b] = await Promise.all([stage.host('a'), stage.host('b')])
    await a.send({ to: 'broadcast', frames: 1 })
    const seen = () => running.mac('br0').map(({ mac, port, static: given }) => [mac, port, given])
    await until('a is learnt', () => seen().length === 2)
    assert.deepEqual(
      seen().sort((x, y) => Number(y[2]) - Number(x[2])),
      [
        ['02:00:00:00:00:aa', 'b', true],
        [a.mac, 'a', false],
      ],
    )
    assert.equal(running.macFlush('br0'), 1)
    assert.deepEqual(seen(), [['02:00:00:00:00:aa', 'b', true]])

    // Both sides send from the address of one.
    const frame = new Uint8Array(64).fill(0xff, 0, 6)
    frame.set([2, 0, 0, 0, 0, 0xbb, 0x88, 0xb5], 6)
    const told = () => stage.lines.find((line) => line.includes('moves too often'))
    await until('it is told', async () => {
      for (const host of [a, b]) await host.sendFrame(frame)
      return told() !== undefined
    })
    // Which of the two is its home when the limit is reached is up to the guests' timing.
    const [, home] =
      /^warn bridge br0: 02:00:00:00:00:bb moves too often .* port ([ab]);/.exec(told() ?? '') ?? []
    assert.ok(home, told())
    const { moves, flaps } = running.show().bridges[0]?.macs ?? { moves: 0, flaps: 0 }
    assert.deepEqual([flaps, moves >= 5], [1, true])
    const other = home === 'a' ? b : a
    await until('the other loses frames', async () => {
      await other.sendFrame(frame)
      return (running.stats().ports[other.name]?.guards.loop ?? 0) > 0
    })
  })
})
