/** Ports, events and waiting, as users of the package meet them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { BurstWord, MAX_BURST, MAX_FRAMES, MAX_PORTS } from '../../src/burst/burst.js'
import { ConfigError, Datapath, DatapathError, type DatapathEvent } from '../../src/index.js'
import { binding } from '../../src/native/binding.js'
import { loopback, numberedFrame, SMALL, socketFolder, until } from '../support/loopback.js'

describe('a datapath', () => {
  const folder = socketFolder()
  const at = (name: string) => join(folder.path, name)
  let datapath: Datapath
  before(async () => {
    datapath = await Datapath.open(SMALL)
  })
  after(async () => {
    await datapath.close()
    folder[Symbol.dispose]()
  })

  test('tells what it was started with', () => {
    assert.match(datapath.info.dpdkVersion, /^DPDK \d+\.\d+/)
    assert.equal(datapath.info.memory, 'memfd')
    assert.ok(datapath.info.frames > 10_000)
    assert.ok(datapath.info.cyclesPerSecond > 1e8)
  })

  test('both languages agree on the limits they share', () => {
    const { maxPorts, maxBurst, maxFrames } = binding.layout
    assert.deepEqual([maxPorts, maxBurst, maxFrames], [MAX_PORTS, MAX_BURST, MAX_FRAMES])
    assert.equal(BurstWord.total, 2)
  })

  test('a port goes through its life, told as events', async () => {
    const seen: string[] = []
    const listener = ({
      port,
      previous,
      state,
    }: {
      port: string
      previous: string
      state: string
    }) => {
      if (port === 'vhost-a' && previous !== state) seen.push(state)
    }
    datapath.on('port', listener)
    const { vhost, guest } = await loopback(datapath, folder.path)
    const { negotiated, rxQueues, txQueues } = vhost.status
    assert.equal(vhost.role, 'server')
    assert.equal(negotiated?.ring, 'split')
    assert.ok(negotiated?.features.includes('VIRTIO_F_VERSION_1'))
    assert.ok(negotiated?.features.includes('VIRTIO_NET_F_MRG_RXBUF'))
    assert.ok(
      !negotiated?.features.some((name) => /TSO|UFO|CSUM/.test(name)),
      String(negotiated?.features),
    )
    assert.deepEqual([rxQueues, txQueues], [[0], [0]])
    await guest.remove()
    await until('listening again', () => vhost.status.state === 'listening')
    await vhost.remove()
    assert.deepEqual(seen, [
      'listening',
      'connected',
      'ready',
      'stopped',
      'disconnected',
      'listening',
      'closed',
    ])
    datapath.off('port', listener)
  })

  test('features can be masked for each port', async () => {
    const path = at('masked')
    await using vhost = await datapath.addPort({
      name: 'masked',
      type: 'dpdkvhostuser',
      path,
      disableFeatures: ['VIRTIO_NET_F_MRG_RXBUF', 'VIRTIO_F_IN_ORDER'],
    })
    await using _guest = await datapath.addPort({
      name: 'guest',
      type: 'dpdk',
      devargs: `net_virtio_user_m,path=${path}`,
    })
    const { negotiated } = await vhost.ready({ timeoutMs: 60_000 })
    assert.ok(!negotiated?.features.includes('VIRTIO_NET_F_MRG_RXBUF'))
    assert.ok(!negotiated?.features.includes('VIRTIO_F_IN_ORDER'))
  })

  test('a peer that asks is told how many queue pairs the port has', async () => {
    const path = at('queues')
    await using _vhost = await datapath.addPort({
      name: 'queues',
      type: 'dpdkvhostuser',
      path,
      queues: 2,
    })
    // QEMU refuses a device with more. virtio-user never asks, so this speaks the protocol itself.
    const socket = connect(path)
    const getQueueNum = new Uint8Array(new Uint32Array([17, 1, 0]).buffer)
    socket.write(getQueueNum)
    const [reply] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    assert.deepEqual(
      [reply.readUInt32LE(0), reply.readUInt32LE(8), reply.readBigUInt64LE(12)],
      [17, 8, 2n],
    )
  })

  test('counters of a port go on across reconnects', async () => {
    const { vhost, guest } = await loopback(datapath, folder.path, { name: 'again' })
    await using _lcore = await datapath.run(() => {})
    guest.inject(numberedFrame(1))
    await until('one frame', () => vhost.counters().rx.frames === 1)
    const { generation } = vhost.status
    await guest.remove()
    await until('gone', () => vhost.status.state === 'listening')
    const back = await datapath.addPort({
      name: 'b',
      type: 'dpdk',
      devargs: `net_virtio_user_b,path=${at('again')}`,
    })
    await vhost.ready({ timeoutMs: 60_000 })
    assert.equal(vhost.status.generation, generation + 1)
    back.inject(numberedFrame(2))
    await until('two frames', () => vhost.counters().rx.frames === 2)
    assert.equal(vhost.counters().rx.bytes, 128)
    await back.remove()
    await vhost.remove()
  })

  test('a second guest on one socket is refused, the first stays', async () => {
    const { vhost, guest } = await loopback(datapath, folder.path, { name: 'one' })
    const told = new Promise((resolve) =>
      datapath.on('port', ({ reason }) => {
        if (reason?.includes('second connection')) resolve(reason)
      }),
    )
    await assert.rejects(
      datapath.addPort({
        name: 'late',
        type: 'dpdk',
        devargs: `net_virtio_user_l,path=${at('one')}`,
      }),
      { code: 'ERR_PORT_DEVICE' },
    )
    assert.match(String(await told), /one peer is connected already/)
    assert.equal(vhost.status.state, 'ready')
    await guest.remove()
    await vhost.remove()
  })

  test('waiting for a port ends by time, by signal, by removal, and says why', async () => {
    const port = await datapath.addPort({
      name: 'w',
      type: 'dpdkvhostuserclient',
      path: at('nobody'),
    })
    await assert.rejects(port.ready({ timeoutMs: 20 }), (error: DatapathError) => {
      assert.equal(error.code, 'ERR_TIMEOUT')
      assert.match(
        error.message,
        /port w was not ready after 20 ms: it is connecting \(no socket at .*nobody yet/,
      )
      return true
    })
    const abort = new AbortController()
    const aborted = assert.rejects(port.ready({ signal: abort.signal }), /enough/)
    abort.abort(new Error('enough'))
    await aborted
    const removed = assert.rejects(port.ready(), { code: 'ERR_CLOSED' })
    await port.remove()
    await removed
    await port.remove()
    assert.throws(() => port.inject(numberedFrame(1)), { code: 'ERR_CLOSED' })
  })

  test('events are an async iterator too', async () => {
    const stop = new AbortController()
    const seen: DatapathEvent[] = []
    const reading = (async () => {
      for await (const event of datapath.events({ signal: stop.signal })) seen.push(event)
    })()
    const port = await datapath.addPort({ name: 'e', type: 'dpdkvhostuser', path: at('e') })
    await port.remove()
    await until('the end', () =>
      seen.some((event) => event.type === 'port' && event.state === 'closed'),
    )
    stop.abort()
    await reading
    assert.ok(seen.some((event) => event.type === 'log'))
  })

  test('wrong options are refused before anything happens, every problem named', async () => {
    await using _first = await datapath.addPort({
      name: 'first',
      type: 'dpdkvhostuser',
      path: at('first'),
    })
    await assert.rejects(
      datapath.addPort({
        name: 'first',
        type: 'dpdkvhostuser',
        path: `${folder.path}//first`,
        mtu: 9000,
      }),
      (error: ConfigError) => {
        assert.ok(error instanceof ConfigError)
        assert.deepEqual(error.problems.map(({ path }) => path).sort(), ['mtu', 'name', 'path'])
        return true
      },
    )
    assert.equal(datapath.ports.size, 1)
  })

  test('two adds of one name at the same time: one is refused', async () => {
    const add = () => datapath.addPort({ name: 'twin', type: 'dpdkvhostuser', path: at('twin') })
    const [first, second] = await Promise.allSettled([add(), add()])
    assert.equal(first.status, 'fulfilled')
    assert.equal(second.status, 'rejected')
    await datapath.removePort('twin')
    await assert.rejects(datapath.removePort('twin'), { code: 'ERR_NO_SUCH_PORT' })
  })

  test('a live socket is not taken, a file is not removed, a stale socket is replaced', async () => {
    await using live = await datapath.addPort({
      name: 'live',
      type: 'dpdkvhostuser',
      path: at('live'),
    })
    assert.equal(live.status.state, 'listening')
    mkdirSync(at('dir'))
    writeFileSync(at('file'), 'precious')
    await assert.rejects(
      datapath.addPort({ name: 'f', type: 'dpdkvhostuser', path: at('file') }),
      (error: Error) => {
        assert.match(error.message, /file.*not a socket/)
        return true
      },
    )
    await assert.rejects(datapath.addPort({ name: 'd', type: 'dpdkvhostuser', path: at('dir') }))
  })

  test('a device that DPDK refuses says which and why', async () => {
    const refuse = (devargs: string, message: RegExp) =>
      assert.rejects(
        datapath.addPort({ name: 'x', type: 'dpdk', devargs }),
        (error: DatapathError) => {
          assert.equal(error.code, 'ERR_PORT_DEVICE')
          assert.match(error.message, message)
          return true
        },
      )
    await refuse('net_no_such_driver0', /net_no_such_driver0/)
    await refuse('0000:ff:1f.7', /0000:ff:1f\.7/)
    await refuse('net_null0,bogus=1', /net_null0,bogus=1/)
    await using _null = await datapath.addPort({ name: 'n', type: 'dpdk', devargs: 'net_null0' })
    await refuse('net_null0', /in use by another port/)
  })

  test('a frame that cannot be sent is refused with what is wrong', async () => {
    await using port = await datapath.addPort({ name: 'n', type: 'dpdk', devargs: 'net_null1' })
    assert.throws(() => port.inject(new Uint8Array(13)), { code: 'ERR_FRAME' })
    assert.throws(
      () => port.inject(new Uint8Array(1523)),
      /longer than the 1522 of port n \(MTU 1500\)/,
    )
    port.inject(new Uint8Array(1522))
    await until('it went', () => port.counters().tx.frames === 1)
  })

  test('one program on this thread at a time', async () => {
    await using _lcore = await datapath.run(() => {})
    await assert.rejects(
      datapath.run(() => {}),
      { code: 'ERR_LCORE' },
    )
    await assert.rejects(datapath.launch('x', { cpu: 1000 }), { code: 'ERR_CPU' })
  })

  test('after close everything is refused', async () => {
    await datapath.close()
    await assert.rejects(datapath.addPort({ name: 'x', type: 'dpdkvhostuser', path: at('x') }), {
      code: 'ERR_CLOSED',
    })
    await assert.rejects(
      datapath.run(() => {}),
      { code: 'ERR_CLOSED' },
    )
    await assert.rejects(datapath.launch('x'), { code: 'ERR_CLOSED' })
    assert.ok(new DatapathError('ERR_CLOSED', '') instanceof Error)
  })
})
