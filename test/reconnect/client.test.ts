import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  Datapath,
  type DatapathError,
  type Port,
  type VhostUserClientPortOptions,
} from '../../src/index.js'
import { SMALL, socketFolder, until } from '../support/loopback.js'
import { GET_FEATURES, message, RawPeer, SET_FEATURES, SET_OWNER } from './raw-peer.js'

// Times here are far above what is promised: the machine may be busy. Where a delay would hide a fault, it is set so
// long that the test cannot pass by waiting for it.
const NEVER_MS = 3_600_000
const SOON_MS = 30_000

let datapath: Datapath
let folder: ReturnType<typeof socketFolder>
let count = 0

before(async () => {
  folder = socketFolder()
  datapath = await Datapath.open(SMALL)
})
after(async () => {
  await datapath.close()
  folder[Symbol.dispose]()
})

const fresh = () => join(folder.path, `${count++}`)

function client(
  path: string,
  reconnect: VhostUserClientPortOptions['reconnect'] = {},
  rest: Partial<VhostUserClientPortOptions> = {},
): Promise<Port> {
  return datapath.addPort({
    name: `p${count++}`,
    type: 'dpdkvhostuserclient',
    path,
    reconnect,
    ...rest,
  })
}

const connected = (port: Port) =>
  until(`${port.name} connected`, () => port.status.state === 'connected', SOON_MS)

describe('a peer that comes', () => {
  // Nothing is looked at again within the hour here: only the watch can find the peer. A refusal between the peer's
  // bind and its listen is no failure of the watch.
  const patient = { firstDelayMs: 1, maxDelayMs: NEVER_MS }

  test('is found as soon as it listens', async () => {
    const path = fresh()
    await using port = await client(path, patient)
    assert.equal(port.status.state, 'connecting')
    assert.match(port.status.reason ?? '', /no socket at .* yet; the peer has to listen there/)
    await using _ = await RawPeer.listen(path)
    await connected(port)
  })

  test('in a folder that is not there yet, nor its parents', async () => {
    const base = fresh()
    const path = join(base, 'run', 'vm', 'sock')
    await using port = await client(path, patient)
    mkdirSync(join(base, 'run', 'vm'), { recursive: true })
    await using _ = await RawPeer.listen(path)
    await connected(port)
  })

  test('in a folder that is replaced meanwhile', async () => {
    const base = fresh()
    const path = join(base, 'sock')
    mkdirSync(base)
    await using port = await client(path, patient)
    renameSync(base, `${base}.old`)
    mkdirSync(base)
    await using _ = await RawPeer.listen(path)
    await connected(port)
  })

  test('behind a link that is made later, and one that is turned to another place', async () => {
    const [one, other, link] = [fresh(), fresh(), fresh()]
    mkdirSync(one)
    mkdirSync(other)
    await using port = await client(join(link, 'sock'), patient)
    symlinkSync(one, link)
    symlinkSync(other, `${link}.new`)
    renameSync(`${link}.new`, link)
    await using _ = await RawPeer.listen(join(other, 'sock'))
    await connected(port)
  })

  test('whose socket is a link to a folder of its own', async () => {
    const [home, path] = [fresh(), fresh()]
    symlinkSync(join(home, 'sock'), path)
    await using port = await client(path, patient)
    mkdirSync(home)
    await using _ = await RawPeer.listen(join(home, 'sock'))
    await connected(port)
  })

  test('in the place of a stale socket, at once, however long the back-off has become', async () => {
    const path = fresh()
    await leaveStale(path)
    await using port = await client(path, { firstDelayMs: NEVER_MS, maxDelayMs: NEVER_MS })
    assert.match(port.status.reason ?? '', /nobody listens at .* \(connection refused\)/)
    await using _ = await RawPeer.listen(`${path}.new`)
    renameSync(`${path}.new`, path)
    await connected(port)
  })

  test('is found again after it went away', async () => {
    const path = fresh()
    const first = await RawPeer.listen(path)
    await using port = await client(path, patient)
    await connected(port)
    await first[Symbol.asyncDispose]()
    await until('gone', () => port.status.state === 'connecting', SOON_MS)
    await using _ = await RawPeer.listen(path)
    await connected(port)
    // More, if it came to the first once again before that was gone.
    assert.ok(port.status.generation >= 2, `generation ${port.status.generation}`)
  })
})

describe('a peer that does not come', () => {
  test('is looked for ever more rarely, up to the ceiling', async () => {
    const path = fresh()
    await leaveStale(path)
    const begin = performance.now()
    const attempts: number[] = []
    const note = ({ message: text }: { message: string }) => {
      if (text.includes(path) && /failed to connect|refused/i.test(text))
        attempts.push(performance.now())
    }
    datapath.on('log', note)
    await using _ = await client(path, { firstDelayMs: 20, maxDelayMs: 160, jitter: 0 })
    // Without the ceiling the last of them would come after 80 s.
    await until('13 attempts', () => attempts.length >= 13, SOON_MS)
    datapath.off('log', note)
    // They are heard of late, never early.
    let least = 0
    for (const [i, delay] of [20, 40, 80, 160, 160, 160].entries()) {
      least += delay
      const after = (attempts[i + 1] as number) - begin
      assert.ok(after > least * 0.9, `attempt ${i + 1} came after ${after} ms, not ${least}`)
    }
  })

  test('is given up after a time, if that is wanted, and looked for again when asked', async () => {
    const path = fresh()
    await using port = await client(path, { giveUpMs: 100 })
    await assert.rejects(port.ready(), (error: DatapathError) => {
      assert.equal(error.code, 'ERR_GAVE_UP')
      assert.match(error.message, /gave up after 100 ms: no socket at/)
      return true
    })
    assert.equal(port.status.state, 'failed')
    await using _ = await RawPeer.listen(path)
    await sleep(50)
    assert.equal(port.status.state, 'failed')
    await port.reconnect()
    await connected(port)
  })
})

describe('a peer that hangs up', () => {
  test('after every prefix of a handshake leaves no trace', async () => {
    const path = fresh()
    const talks = [
      Buffer.alloc(0),
      message(GET_FEATURES).subarray(0, 5),
      message(GET_FEATURES),
      Buffer.concat([message(GET_FEATURES), message(SET_OWNER)]),
      Buffer.concat([message(SET_OWNER), message(GET_FEATURES), message(99)]),
    ]
    await using port = await client(path, { maxDelayMs: 2 })
    for (const talk of talks) {
      await using peer = await RawPeer.listen(path, (socket) => socket.end(talk))
      await until('two connections', () => peer.connections.length >= 2, SOON_MS)
    }
    await using _ = await RawPeer.listen(path)
    await connected(port)
  })

  test('three times at once is explained, and slowed down', async () => {
    const path = fresh()
    // As QEMU when a feature is missing that its guest negotiated: it looks at the features and hangs up.
    await using peer = await RawPeer.listen(path, (socket) => {
      socket.write(message(GET_FEATURES))
      socket.once('data', () => socket.destroy())
    })
    await using port = await client(
      path,
      { firstDelayMs: 1, maxDelayMs: NEVER_MS },
      { disableFeatures: ['VIRTIO_RING_F_INDIRECT_DESC'] },
    )
    await until('an explanation', () => /3 times in a row/.test(port.status.reason ?? ''), SOON_MS)
    const { reason } = port.status
    assert.match(reason ?? '', /after GET_FEATURES: .* these are offered: .*VIRTIO_NET_F_MRG_RXBUF/)
    assert.doesNotMatch(reason ?? '', /VIRTIO_RING_F_INDIRECT_DESC/)
    await sleep(200)
    assert.equal(peer.connections.length, 3)
  })

  test('because it asks for what is not offered: the features are named', async () => {
    const path = fresh()
    const indirect = 1n << 28n
    await using _ = await RawPeer.listen(path, (socket) => {
      socket.write(
        Buffer.concat([message(SET_OWNER), message(SET_FEATURES, (1n << 32n) | indirect)]),
      )
    })
    await using port = await client(path, {}, { disableFeatures: ['VIRTIO_RING_F_INDIRECT_DESC'] })
    await until('an explanation', () => /3 times in a row/.test(port.status.reason ?? ''), SOON_MS)
    assert.match(
      port.status.reason ?? '',
      /after SET_FEATURES: it asks for VIRTIO_RING_F_INDIRECT_DESC, not offered here; give the port/,
    )
  })

  test('now and then is no mismatch', async () => {
    const path = fresh()
    await using peer = await RawPeer.listen(path)
    await using port = await client(path, { firstDelayMs: 1, maxDelayMs: NEVER_MS })
    for (let round = 1; round <= 5; round++) {
      await until(`connection ${round}`, () => peer.connections.length === round, SOON_MS)
      await sleep(1100)
      peer.hangUp()
    }
    await connected(port)
  })
})

describe('features', () => {
  test('can be pinned to what a port offered before', async () => {
    const path = fresh()
    const features = ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_MRG_RXBUF'] as const
    let offered = 0n
    await using _ = await RawPeer.listen(path, (socket) => {
      socket.write(message(GET_FEATURES))
      socket.once('data', (reply: Buffer) => {
        offered = reply.readBigUInt64LE(12)
      })
    })
    await using port = await client(path, {}, { features })
    await until('an answer', () => offered !== 0n, SOON_MS)
    assert.equal(offered, (1n << 32n) | (1n << 15n))
    assert.deepEqual([...port.status.offered].sort(), [...features].sort())
  })

  test('that cannot be offered are named at once', async () => {
    await assert.rejects(
      client(fresh(), {}, { features: ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_RSS'] }),
      /features.*VIRTIO_NET_F_RSS.*cannot offer/s,
    )
  })
})

test('a port that is removed while it looks for its peer leaves nothing behind', async () => {
  const path = fresh()
  const port = await client(path)
  await port.remove()
  await using peer = await RawPeer.listen(path)
  await sleep(100)
  assert.equal(peer.connections.length, 0)
  await assert.rejects(port.reconnect(), (error: DatapathError) => error.code === 'ERR_CLOSED')
})

/** A socket as a process leaves it that was killed. */
async function leaveStale(path: string): Promise<void> {
  const server = createServer().listen(`${path}.live`)
  await new Promise((resolve) => server.once('listening', resolve))
  renameSync(`${path}.live`, path)
  await new Promise((resolve) => server.close(resolve))
  rmSync(`${path}.live`, { force: true })
}
