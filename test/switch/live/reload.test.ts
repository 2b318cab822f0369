/** A switch follows its file: the difference, and nothing else. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { account, NOTHING_WRONG } from '../../support/accounts.js'
import { until } from '../../support/loopback.js'
import { Stage } from './stage.js'

describe('reload', () => {
  test('whoever it is not about does not notice', async () => {
    await using stage = await Stage.start((at) => ({
      ports: [at.port('a'), at.port('b'), at.port('c')],
    }))
    const { switch: running } = stage
    const a = await stage.host('a', { ip: '192.0.2.1' })
    const b = await stage.host('b', { ip: '192.0.2.2' })
    const c = await stage.host('c')
    assert.equal((await a.ping('192.0.2.2')).received, 1)
    const macs = () => running.mac('br0').filter(({ mac }) => mac === a.mac || mac === b.mac)
    assert.equal(macs().length, 2)
    const before = macs().map(({ mac, port }) => [mac, port])

    const wrong = account(stage.counters('b'), b)
    const sending = await a.startSending({ to: b, rate: 2000 })
    stage.write({
      lcores: [{ name: 'lcore0' }, { name: 'extra' }],
      bridges: [
        { name: 'br0', ageing: 500, stormLimit: { broadcast: 1000 } },
        { name: 'br1', flows: ['priority=1,actions=flood'] },
      ],
      ports: [
        stage.port('a'),
        stage.port('b'),
        stage.port('c', { bridge: 'br1', tag: 3 }),
        stage.port('d'),
      ],
    })
    const { changes, pending } = await running.reload()
    assert.deepEqual(pending, [])
    assert.deepEqual([...changes].sort(), [
      'bridge br0: settings changed',
      'bridge br1: added',
      'lcore extra: added',
      'port c: takes part otherwise in bridge br1',
      'port d: added',
    ])
    // It is in one bridge, not in two.
    const toAll = await a.send({ to: 'broadcast', frames: 10 })
    assert.deepEqual([(await b.delivery(toAll)).frames, (await c.delivery(toAll)).frames], [10, 0])
    stage.write({ ports: [stage.port('a'), stage.port('b')] })
    await running.reload()
    await until('frames went by', async () => (await sending.progress()).frames > 200)
    const { delivery, ...lost } = await wrong(sending)
    assert.deepEqual(lost, NOTHING_WRONG)
    assert.ok(delivery.frames > 0, `${delivery.frames} frames`)
    assert.deepEqual([a.link.generation, b.link.generation], [1, 1])
    assert.deepEqual(
      macs().map(({ mac, port }) => [mac, port]),
      before,
    )
    assert.deepEqual(
      running.ports().map(({ name }) => name),
      ['a', 'b'],
    )
    assert.deepEqual(
      (await running.lcores()).map(({ name }) => name),
      ['lcore0'],
    )
    assert.deepEqual((await running.reload()).changes, [])
  })

  test('a file that cannot be changes nothing', async () => {
    await using stage = await Stage.start((at) => ({ ports: [at.port('a')] }))
    const { switch: running } = stage
    const before = running.ports()
    stage.write({ ports: [stage.port('b'), stage.port('c', { mtu: 'big' })] })
    await assert.rejects(running.reload(), /vswitch\.json:1:\d+: ports\[1\]\.mtu = "big"/)
    assert.deepEqual(running.ports(), before)
    writeFileSync(stage.path('vswitch.json'), '{')
    await assert.rejects(running.reload(), /vswitch\.json:1:/)
    assert.deepEqual(running.ports(), before)
  })

  test('what was done by hand stays, unless the file says something new of it', async () => {
    await using stage = await Stage.start((at) => ({
      bridges: [
        { name: 'br0', flows: ['priority=1,actions=flood', 'priority=2,arp,actions=drop'] },
      ],
      ports: [at.port('a'), at.port('b')],
    }))
    const { switch: running } = stage
    await running.portAdd(stage.port('hand'))
    await running.portDelete('b')
    await running.portSet('a', { tag: 9 })
    await running.flowAdd('br0', ['priority=7,udp,actions=drop'])
    stage.write({
      bridges: [
        { name: 'br0', flows: ['priority=1,actions=normal', 'priority=3,tcp,actions=drop'] },
      ],
      ports: [stage.port('a'), stage.port('b'), stage.port('new')],
    })
    await running.reload()
    assert.deepEqual(
      running.ports().map(({ name, tag }) => [name, tag]),
      [
        ['a', 9],
        ['hand', undefined],
        ['new', undefined],
      ],
    )
    assert.deepEqual(
      running.flows('br0').map(({ priority, match, actions }) => [priority, match, actions]),
      [
        [7, 'udp', 'drop'],
        [3, 'tcp', 'drop'],
        [1, '', 'normal'],
      ],
    )
    stage.write({ ports: [stage.port('a', { tag: 4 }), stage.port('b', { tag: 6 })] })
    await running.reload()
    assert.deepEqual(
      running.ports().map(({ name, tag }) => [name, tag]),
      [
        ['a', 4],
        ['hand', undefined],
        ['b', 6],
      ],
    )
    // Rules by hand keep the table.
    assert.deepEqual(
      running.flows('br0').map(({ priority }) => priority),
      [7],
    )
  })

  test('two at once, and a port by hand, come one after the other', async () => {
    await using stage = await Stage.start((at) => ({ ports: [at.port('a')] }))
    const { switch: running } = stage
    stage.write({ ports: [stage.port('a'), stage.port('b'), stage.port('c')] })
    const [first, added, second] = await Promise.all([
      running.reload(),
      running.portAdd(stage.port('d')),
      running.reload(),
    ])
    assert.deepEqual(first.changes, ['port b: added', 'port c: added'])
    assert.equal(added.name, 'd')
    assert.deepEqual(second.changes, [])
    assert.deepEqual(
      running.ports().map(({ name }) => name),
      ['a', 'b', 'c', 'd'],
    )
  })

  test('an lcore that is made anew polls again', async () => {
    await using stage = await Stage.start((at) => ({ ports: [at.port('a'), at.port('b')] }))
    const { switch: running } = stage
    const a = await stage.host('a', { ip: '192.0.2.1' })
    await stage.host('b', { ip: '192.0.2.2' })
    stage.write({
      lcores: [{ name: 'lcore0', burst: 8 }],
      ports: [stage.port('a'), stage.port('b')],
    })
    assert.deepEqual((await running.reload()).changes, ['lcore lcore0: made anew'])
    const [lcore] = await running.lcores()
    assert.deepEqual(
      lcore?.rxQueues.map(({ port }) => port),
      ['a', 'b'],
    )
    assert.equal((await a.ping('192.0.2.2')).received, 1)
  })

  test('settings of the process go to the process, and what needs a restart says so', async () => {
    await using stage = await Stage.start((at) => ({ ports: [at.port('a')] }))
    stage.write({
      datapath: { memory: 'memfd', memoryMiB: 128 },
      logging: { level: 'warning' },
      metrics: { listen: '127.0.0.1:9999' },
      ports: [stage.port('a')],
    })
    const first = await stage.switch.reload()
    assert.deepEqual(first.pending, ['datapath.memoryMiB: needs a restart'])
    assert.deepEqual(stage.settings, [{ level: 'warning', format: 'text' }, '127.0.0.1:9999'])
    assert.deepEqual((await stage.switch.reload()).pending, first.pending)
    assert.equal(stage.settings.length, 2)
  })
})
