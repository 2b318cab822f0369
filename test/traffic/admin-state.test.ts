/** A port that is set down looks unplugged to its guest, drops and counts what is sent to it, and comes back. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ConfigError, Datapath, type Port } from '../../src/index.js'
import { TestHost } from '../../src/testkit/index.js'
import { numberedFrame, SMALL, socketFolder, until } from '../support/loopback.js'

const LIMIT = { timeout: 120_000 }

describe('administrative state', () => {
  const folder = socketFolder()
  const at = (name: string) => `${folder.path}/${name}`
  let datapath: Datapath
  let peer: Port
  let peerHost: TestHost
  before(async () => {
    datapath = await Datapath.open(SMALL)
    // A learning switch would not even try a port that is not ready.
    const data = { pairs: [['peer', 'port']] }
    await datapath.launch('dpdk-vhost/programs/cross-connect', { data })
    const path = at('peer')
    peer = await datapath.addPort({ name: 'peer', type: 'dpdkvhostuserclient', path })
    peerHost = await TestHost.start({ path, ip: '10.0.0.1' })
    await peer.ready({ timeoutMs: 60_000 })
    await peerHost.linkUp()
  })
  after(async () => {
    await peerHost.close()
    await datapath.close()
    folder[Symbol.dispose]()
  })

  for (const [type, listen] of [
    ['dpdkvhostuserclient', true],
    ['dpdkvhostuser', false],
  ] as const) {
    test(`${type}: down under traffic, and up again`, LIMIT, async () => {
      const path = at(type)
      await using port = await datapath.addPort({ name: 'port', type, path })
      await using host = await TestHost.start({ path, listen, ip: '10.0.0.2' })
      await port.ready({ timeoutMs: 60_000 })
      await host.linkUp()
      assert.equal((await host.ping('10.0.0.1')).received, 1)
      const told: string[] = []
      const listener = ({ port, state, adminState, reason }: PortChange) => {
        if (port === 'port') told.push(`${state}, ${adminState}: ${reason}`)
      }
      datapath.on('port', listener)

      const { generation } = port.status
      const before = peer.counters().rx.frames
      const toPort = port.counters().tx
      const sending = await peerHost.startSending({ to: host, rate: 2000 })
      await until('frames go', () => port.counters().tx.frames > toPort.frames + 50)
      await port.setAdminState('down')
      assert.deepEqual(told, ['closed, down: administratively down'])
      await host.linkDown()
      const dropped = port.counters().tx.droppedNotConnected
      await until(
        'frames are dropped and counted',
        () => port.counters().tx.droppedNotConnected > dropped + 50,
      )
      // Longer than a reconnect takes.
      await delay(300)
      assert.equal(host.link.up, false)
      assert.equal(port.status.generation, generation)
      assert.equal(existsSync(path), listen)
      await port.setAdminState('down')
      await assert.rejects(port.ready({ timeoutMs: 10 }), /it is closed \(administratively down\)/)

      await port.setAdminState('up')
      assert.equal(port.status.adminState, 'up')
      await port.ready({ timeoutMs: 60_000 })
      await host.linkUp()
      assert.equal(port.status.generation, generation + 1)
      datapath.off('port', listener)
      const sent = await sending.stop()
      await until('all came', () => peer.counters().rx.frames - before >= sent.frames)
      const accounted = () => {
        const tx = port.counters().tx
        const of = (counter: 'frames' | 'droppedRingFull' | 'droppedNotConnected') =>
          tx[counter] - toPort[counter]
        return of('frames') + of('droppedRingFull') + of('droppedNotConnected')
      }
      await until('none was lost silently', () => accounted() >= sent.frames)
      assert.equal((await host.ping('10.0.0.1')).received, 1)
    })
  }

  test('a port can be added down', LIMIT, async () => {
    const path = at('later')
    const options = { name: 'later', type: 'dpdkvhostuser', path, adminState: 'down' } as const
    await using port = await datapath.addPort(options)
    await until('it tells', () => port.status.adminState === 'down')
    assert.equal(port.status.reason, 'administratively down')
    assert.equal(existsSync(path), false)
    port.inject(numberedFrame(1))
    assert.equal(port.counters().tx.droppedNotConnected, 1)

    // Somebody took the socket meanwhile.
    const server = createServer().listen(path)
    await once(server, 'listening')
    await assert.rejects(port.setAdminState('up'), { code: 'ERR_SOCKET_IN_USE' })
    assert.equal(port.status.adminState, 'down')
    server.close()
    await once(server, 'close')
    await port.setAdminState('up')
    assert.equal(port.status.state, 'listening')
  })

  test('a device that has no link to set down drops and counts', LIMIT, async () => {
    for (const adminState of ['up', 'down'] as const) {
      await using port = await datapath.addPort({
        name: 'ring',
        type: 'dpdk',
        devargs: `net_null${adminState === 'up' ? 0 : 1},no-rx=1`,
        adminState,
      })
      if (adminState === 'up') {
        await port.ready({ timeoutMs: 60_000 })
        port.inject(numberedFrame(1))
        assert.equal(port.counters().tx.frames, 1)
        await port.setAdminState('down')
      }
      await until('it is down', () => port.status.state === 'stopped')
      assert.equal(port.status.adminState, 'down')
      const { frames } = port.counters().tx
      port.inject(numberedFrame(2))
      await delay(300)
      assert.equal(port.status.state, 'stopped')
      assert.deepEqual(
        [port.counters().tx.frames, port.counters().tx.droppedNotConnected],
        [frames, 1],
      )
      await port.setAdminState('up')
      await port.ready({ timeoutMs: 60_000 })
      port.inject(numberedFrame(3))
      assert.equal(port.counters().tx.frames, frames + 1)
    }
  })

  test('other words, and ports that are gone, are refused', LIMIT, async () => {
    await assert.rejects(peer.setAdminState('off' as never), (error: ConfigError) => {
      assert.ok(error instanceof ConfigError)
      assert.match(
        error.message,
        /port "peer": adminState = "off" is not a choice; give one of "up"/,
      )
      return true
    })
    const port = await datapath.addPort({ name: 'gone', type: 'dpdkvhostuser', path: at('gone') })
    await port.remove()
    await assert.rejects(port.setAdminState('down'), { code: 'ERR_CLOSED' })
  })
})

interface PortChange {
  port: string
  state: string
  adminState: string
  reason: string | undefined
}
