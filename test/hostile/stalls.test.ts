/** A peer that holds up the thread which serves all peers is told of within a second, by name, and cut off. */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { Datapath, type StallEvent } from '../../src/index.js'
import { GET_FEATURES, message, RawPeer } from '../reconnect/raw-peer.js'
import { SMALL, socketFolder, until } from '../support/loopback.js'

const SET_FEATURES = 2
/** Says that eight bytes follow, which do not. */
const HEADER = message(SET_FEATURES, 0n).subarray(0, 12)

/** Resolves to the first answer that comes, as soon as the port is served. */
function answered(socket: Socket): Promise<unknown> {
  const answer = new Promise((resolve) => socket.once('data', resolve))
  socket.write(message(GET_FEATURES))
  return answer
}

describe('a peer that stalls', () => {
  const folder = socketFolder()
  let datapath: Datapath
  const stalls: StallEvent[] = []
  before(async () => {
    datapath = await Datapath.open({ ...SMALL, peerTimeoutMs: 900 })
    datapath.on('stall', (event) => stalls.push(event))
  })
  after(async () => {
    await datapath.close()
    folder[Symbol.dispose]()
  })
  const seen = (state: StallEvent['state']) => stalls.find((event) => event.state === state)

  test('as a client: told of, cut off, held down; others are served then', async () => {
    stalls.length = 0
    const path = `${folder.path}/listens`
    await using quiet = await datapath.addPort({
      name: 'quiet',
      type: 'dpdkvhostuser',
      path: `${folder.path}/quiet`,
    })
    await using port = await datapath.addPort({ name: 'bad', type: 'dpdkvhostuserclient', path })
    await using peer = await RawPeer.listen(path, (socket) => socket.write(HEADER))
    await until('it is told of', () => seen('stalled') !== undefined)
    const other = connect(`${folder.path}/quiet`)
    const served = answered(other)
    assert.equal(stalls[0]?.state, 'stalled', 'it is told of before it is cut off')
    const { port: name, socket, pid, message: what, cause } = seen('stalled') as StallEvent
    assert.deepEqual([name, socket, pid], ['bad', path, process.pid])
    assert.deepEqual([what, cause], ['SET_FEATURES', 'receiving'])
    await until('it is cut off', () => seen('cut') !== undefined)
    await until('others are served', () => seen('over') !== undefined)
    await served
    other.destroy()
    await until('it is held down', () => /held down/.test(port.status.reason ?? ''))
    assert.equal(port.counters().peer.stalls, 1)
    assert.equal(quiet.counters().peer.stalls, 0)
    assert.equal(peer.connections.length, 1)
    // And comes back by itself.
    await until('it is connected again', () => peer.connections.length === 2)
  })

  test('as a server: one that does not read its answers', async () => {
    await until('nobody stalls', () => stalls.at(-1)?.state !== 'stalled')
    stalls.length = 0
    const path = `${folder.path}/served`
    await using port = await datapath.addPort({ name: 'deaf', type: 'dpdkvhostuser', path })
    const socket = connect(path)
    socket.on('error', () => {})
    // Never read: no listener of 'data'.
    socket.pause()
    const many = Buffer.concat(Array.from({ length: 4000 }, () => message(GET_FEATURES)))
    const flood = setInterval(() => socket.write(many), 5)
    await until('it is told of', () => seen('stalled') !== undefined)
    clearInterval(flood)
    const { port: name, cause } = seen('stalled') as StallEvent
    assert.deepEqual([name, cause], ['deaf', 'sending'])
    await until('others are served', () => seen('over') !== undefined)
    assert.ok(seen('cut'))
    await until('it is held down', () => /held down/.test(port.status.reason ?? ''))
    socket.destroy()
  })
})

test('without a limit it is told of, and nobody is cut off', async () => {
  const folder = socketFolder()
  await using datapath = await Datapath.open({ ...SMALL, peerTimeoutMs: 0 })
  const stalls: string[] = []
  datapath.on('stall', ({ state }) => stalls.push(state))
  const path = `${folder.path}/a`
  await datapath.addPort({ name: 'bad', type: 'dpdkvhostuserclient', path })
  await using peer = await RawPeer.listen(path, (socket) => socket.write(HEADER))
  await until('it is told of', () => stalls.length > 0)
  await new Promise((resolve) => setTimeout(resolve, 1200))
  assert.deepEqual(stalls, ['stalled'])
  peer.hangUp()
  await until('it is over', () => stalls.at(-1) === 'over')
  folder[Symbol.dispose]()
})
