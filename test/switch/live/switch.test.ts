/** A switch over real ports: its beginning and end, what can be seen of it, ports that come and go. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { ConfigError, DatapathError } from 'dpdk-vhost'
import { NotFound } from '../../../src/switch/control.js'
import { until } from '../../support/loopback.js'
import { Stage } from './stage.js'

describe('a running switch', () => {
  test('hosts reach each other over two lcores, and what is seen of them', async () => {
    await using stage = await Stage.start((at) => ({
      lcores: [{ name: 'one' }, { name: 'two', burst: 64 }],
      bridges: [{ name: 'br0' }, { name: 'br1' }],
      ports: [
        at.port('a', { tag: 5 }),
        at.port('b', { tag: 5, rxAffinity: { 0: 'two' } }),
        at.port('c', { bridge: 'br1', adminState: 'down' }),
      ],
    }))
    const { switch: running } = stage
    const a = await stage.host('a', { ip: '192.0.2.1' })
    await stage.host('b', { ip: '192.0.2.2' })
    const ping = await a.ping('192.0.2.2', { count: 10, intervalMs: 10 })
    assert.equal(ping.received, 10)

    const show = running.show()
    assert.equal(show.config, stage.path('vswitch.json'))
    assert.deepEqual(show.lcores, ['one', 'two'])
    assert.equal(show.memory.kind, 'memfd')
    assert.deepEqual(
      show.bridges.map(({ name, decides, ports }) => [name, decides, ports.map((p) => p.name)]),
      [
        ['br0', 'normal', ['a', 'b']],
        ['br1', 'normal', ['c']],
      ],
    )
    const [viewA, , viewC] = running.ports()
    const { name, bridge, type, path, role, state, vlanMode, tag, mtu } = viewA as object as never
    assert.deepEqual(
      { name, bridge, type, path, role, state, vlanMode, tag, mtu },
      {
        name: 'a',
        bridge: 'br0',
        type: 'dpdkvhostuserclient',
        path: stage.path('a.sock'),
        role: 'client',
        state: 'ready',
        vlanMode: 'access',
        tag: 5,
        mtu: 1500,
      },
    )
    assert.deepEqual([viewC?.state, viewC?.status.adminState], ['closed', 'down'])

    const lcores = await running.lcores()
    assert.deepEqual(
      lcores.map((lcore) => [lcore.name, lcore.index]),
      [
        ['one', 0],
        ['two', 1],
      ],
    )
    assert.deepEqual(
      lcores[1]?.rxQueues.filter((queue) => queue.pinned),
      [{ port: 'b', queue: 0, enabled: true, pinned: true }],
    )
    const { ports, bridges } = running.stats()
    assert.ok((ports.a?.rx.frames ?? 0) >= 11)
    assert.equal(ports.a?.guards.portSecurity, 0)
    assert.deepEqual(Object.keys(bridges), ['br0', 'br1'])
    assert.ok(stage.lines.includes('info port a is ready'), stage.lines.join('\n'))
    await running.close()
    await running.closed
    await assert.rejects(running.reload(), { code: 'ERR_CLOSED' })
  })

  test('ports by hand', async () => {
    await using stage = await Stage.start((at) => ({ ports: [at.port('a')] }))
    const { switch: running } = stage
    const added = await running.portAdd(stage.port('b', { mtu: 1400 }))
    assert.deepEqual([added.name, added.bridge, added.mtu], ['b', 'br0', 1400])
    const a = await stage.host('a', { ip: '192.0.2.1' })
    const b = await stage.host('b', { ip: '192.0.2.2' })
    assert.equal((await a.ping('192.0.2.2')).received, 1)

    // What can change while it runs does.
    const { generation } = b.link
    const apart = await running.portSet('b', { tag: 7 })
    assert.deepEqual([apart.remade, apart.port.tag, apart.port.vlanMode], [false, 7, 'access'])
    assert.equal(b.link.generation, generation)
    const down = await running.portSet('b', { tag: null, adminState: 'down' })
    assert.equal(down.remade, false)
    await b.linkDown()
    await running.portSet('b', { adminState: 'up' })
    await b.linkUp()
    // The guest sees its link before the switch has heard of all of its queues.
    await until('b is ready', () => running.ports().every(({ state }) => state === 'ready'))
    assert.equal((await a.ping('192.0.2.2', { timeoutMs: 3000 })).received, 1)
    // What cannot has it made anew.
    const remade = await running.portSet('b', { mtu: 1300 })
    assert.deepEqual([remade.remade, remade.port.mtu], [true, 1300])
    await b.linkUp()

    await running.portDelete('b')
    await b.linkDown()
    assert.deepEqual(
      running.ports().map(({ name }) => name),
      ['a'],
    )
    await running.portAdd(stage.port('b'))
    await b.linkUp()
  })

  test('what cannot be is refused with its reason', async () => {
    await using stage = await Stage.start((at) => ({ ports: [at.port('a')] }))
    const { switch: running } = stage
    await assert.rejects(running.portAdd({ name: 'x' }), ConfigError)
    await assert.rejects(running.portAdd(stage.port('a')), /is the name of another port/)
    await assert.rejects(running.portSet('a', { mtu: 1 }), ConfigError)
    await assert.rejects(running.portAdd(stage.port('x', { bridge: 'br7' })), ConfigError)
    await assert.rejects(running.portSet('nobody', {}), (error) => {
      assert.ok(error instanceof NotFound)
      assert.match(error.message, /no port is called 'nobody'; there are a/)
      return true
    })
    await assert.rejects(running.portDelete('nobody'), NotFound)
    await assert.rejects(running.flowAdd('br7', []), NotFound)
    await assert.rejects(running.flowsExplain('br0'), NotFound)
    await assert.rejects(running.programLoad('br7', '/nothing.ts', undefined), NotFound)
    assert.throws(() => running.mac('br7'), NotFound)
    assert.throws(() => running.macFlush('br7'), NotFound)
    assert.throws(() => running.flows('br7'), NotFound)

    const path = stage.path('taken.sock')
    await using other = createServer().listen(path)
    await once(other, 'listening')
    const taken = { name: 's', type: 'dpdkvhostuser', path }
    // A port that cannot be what it was told to be is what it was.
    const mine = { name: 'mine', type: 'dpdkvhostuser', path: stage.path('mine.sock') }
    await running.portAdd(mine)
    await assert.rejects(running.portSet('mine', { path }), { code: 'ERR_SOCKET_IN_USE' })
    assert.deepEqual(
      running.ports().map((port) => [port.name, port.state]),
      [
        ['a', 'connecting'],
        ['mine', 'listening'],
      ],
    )
    await assert.rejects(running.portAdd(taken), (error) => {
      assert.ok(error instanceof DatapathError)
      assert.equal(error.code, 'ERR_SOCKET_IN_USE')
      return true
    })
    // Nothing of it is left, so it can come once the socket is free.
    other.close()
    await once(other, 'close')
    await running.portAdd(taken)
  })

  test('a port that cannot be added keeps no other from coming, and is tried again', async () => {
    let server: ReturnType<typeof createServer> | undefined
    await using stage = await Stage.start((at) => {
      server = createServer().listen(at.path('s.sock'))
      const taken = { name: 's', type: 'dpdkvhostuser', path: at.path('s.sock') }
      return { ports: [taken, at.port('a')] }
    })
    const { switch: running } = stage
    const names = () => running.ports().map(({ name }) => name)
    assert.deepEqual(names(), ['a'])
    const line = stage.lines.find((text) => text.startsWith('error'))
    assert.match(line ?? '', /error port s: failed: .*s\.sock/)
    assert.match((await running.reload()).changes.join(), /^port s: failed: .*s\.sock/)
    server?.close()
    await once(server as object as NodeJS.EventEmitter, 'close')
    assert.deepEqual((await running.reload()).changes, ['port s: added'])
    assert.deepEqual(names(), ['a', 's'])
    assert.deepEqual((await running.reload()).changes, [])
  })

  test('a configuration that cannot be starts nothing and leaves nothing', async () => {
    const start = Stage.start((at) => {
      writeFileSync(at.path('bad.ts'), 'export default (')
      return { bridges: [{ name: 'br0', program: at.path('bad.ts') }], ports: [at.port('a')] }
    })
    await assert.rejects(start, /program .*bad\.ts:1:17: unexpected end of file/)
    // The process can have another.
    await using stage = await Stage.start((at) => ({ ports: [at.port('a')] }))
    assert.equal(stage.switch.ports().length, 1)
  })
})
