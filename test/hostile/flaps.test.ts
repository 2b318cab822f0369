/** A guest whose device comes and goes is held down when that is too much, and told of; one with its ports untouched loses nothing. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { Datapath, type Port, type PortEvent } from '../../src/index.js'
import { SMALL, socketFolder, until } from '../support/loopback.js'
import { HostileGuest } from './guest.js'

describe('a guest that flaps', () => {
  const folder = socketFolder()
  const guest = new HostileGuest()
  let datapath: Datapath
  let ports: Port[]
  const events: PortEvent[] = []
  before(async () => {
    datapath = await Datapath.open(SMALL)
    const names = ['a', 'b', 'c', 'd']
    const add = (name: string) =>
      datapath.addPort({ name, type: 'dpdkvhostuserclient', path: `${folder.path}/${name}` })
    ports = await Promise.all(names.map(add))
    const pairs = [
      ['a', 'b'],
      ['c', 'd'],
    ]
    await datapath.launch('dpdk-vhost/programs/cross-connect', { data: { pairs } })
    datapath.on('port', (event) => events.push(event))
  })
  after(async () => {
    await datapath.close()
    folder[Symbol.dispose]()
  })

  for (const kind of ['enable', 'base', 'hang-up']) {
    test(`${kind} storm`, { timeout: 120_000 }, async () => {
      const [a, b] = ports as [Port, Port]
      await Promise.all([a.reconnect(), b.reconnect()])
      events.length = 0
      const before = a.counters().peer.flaps
      // Over other ports, meanwhile: every frame comes, in order.
      const honest = guest.run('sane', `${folder.path}/c`, `${folder.path}/d`, { frames: 5000 })
      // It complains of being cut off, or not.
      await guest
        .run('flaps', `${folder.path}/a`, `${folder.path}/b`, { kind, ms: 1500 })
        .then(({ flaps }) => assert.ok(Number(flaps) > 30, `${flaps} flaps`))
      await until('it is held down', () => a.counters().peer.flaps > before)
      await until('it is told', () =>
        events.some(({ port, reason }) => port === 'a' && /flapping/.test(reason ?? '')),
      )
      // Whatever a guest does, nobody is flooded: a port tells of each connection, stop and start.
      assert.ok(events.length < 5000, `${events.length} events`)
      const { error, there, back } = await honest
      assert.deepEqual([error, there, back], [undefined, 5000, 5000])
      assert.equal(ports[2]?.counters().peer.flaps, 0)
      // The same ports serve again by themselves.
      await until('it is let in again', () => !/held down/.test(a.status.reason ?? ''), 40_000)
    })
  }

  test('connections to a server port', { timeout: 120_000 }, async () => {
    const path = `${folder.path}/served`
    await using port = await datapath.addPort({
      name: 's',
      type: 'dpdkvhostuser',
      path,
      flapLimit: 1,
    })
    events.length = 0
    let connections = 0
    const end = performance.now() + 1000
    while (performance.now() < end) {
      const socket = connect(path).on('error', () => {})
      await new Promise((resolve) => socket.once('connect', resolve))
      connections++
      socket.destroy()
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    assert.ok(connections > 20, `${connections} connections`)
    assert.equal(port.counters().peer.flaps, 1)
    assert.ok(port.status.generation < 15, `${port.status.generation} were let in`)
    await until('it is told', () => events.some(({ reason }) => /flapping/.test(reason ?? '')))
  })
})
