/** Egress shaping over real rings: what waits, in which order it goes, and what becomes of it when nobody is there. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  type Burst,
  ConfigError,
  Datapath,
  type EgressShaper,
  type Lcore,
  type Port,
} from '../../src/index.js'
import { TestHost } from '../../src/testkit/index.js'
import { loopback, numberedFrame, SMALL, socketFolder, until } from '../support/loopback.js'

const LIMIT = { timeout: 120_000 }
const FRAME = 1000
/** One frame in eight seconds: as good as none. */
const CLOSED = { rate: 1000, burst: 2000 }
const SOURCE = new URL('./programs/numbered-source.js', import.meta.url)

describe('a shaper', () => {
  const folder = socketFolder()
  let datapath: Datapath
  let vhost: Port
  let guest: Port
  let lcore: Lcore
  /** Numbers of frames that came to the guest. */
  const got: number[] = []

  function sink(burst: Burst): void {
    if (burst.inPort !== guest.id) return
    for (let i = 0; i < burst.count; i++) {
      got.push(burst.view.getUint32((burst.offset[i] as number) + 14))
    }
  }

  before(async () => {
    datapath = await Datapath.open(SMALL)
    const both = await loopback(datapath, folder.path, { devargs: ',queue_size=1024' })
    vhost = both.vhost
    guest = both.guest
    lcore = await datapath.run(sink)
  })
  after(async () => {
    await datapath.close()
    folder[Symbol.dispose]()
  })
  beforeEach(async () => {
    await vhost.setEgressShaper(undefined)
    await until('nothing waits', () => vhost.counters().shaperQueue.frames === 0)
    got.length = 0
  })

  const send = (count: number, from = 0, port = vhost) => {
    for (let i = 0; i < count; i++) port.inject(numberedFrame(from + i, FRAME))
  }
  const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i)

  test('holds back what is above its rate, in order, and loses nothing', LIMIT, async () => {
    await vhost.setEgressShaper({ rate: 8_000_000, burst: 4000, queueLength: 400 })
    const before = vhost.counters().tx
    const began = performance.now()
    send(300)
    await until('all have come', () => got.length === 300)
    assert.deepEqual(got, upTo(300))
    // 4 frames at once, one more each millisecond.
    const took = performance.now() - began
    assert.ok(took >= 295, `${took} ms`)
    const { tx, shaperQueue } = vhost.counters()
    assert.equal(tx.frames - before.frames, 300)
    assert.equal(tx.droppedShaperFull, before.droppedShaperFull)
    assert.deepEqual(shaperQueue, { frames: 0, bytes: 0 })
  })

  test('lets a burst through that its tokens are there for, at once', LIMIT, async () => {
    await vhost.setEgressShaper({ ...CLOSED, burst: 20 * FRAME })
    send(20)
    assert.equal(vhost.counters().shaperQueue.frames, 0)
    await until('all have come', () => got.length === 20)
    send(1, 20)
    assert.equal(vhost.counters().shaperQueue.frames, 1)
  })

  for (const { title, limit } of [
    { title: 'frames', limit: { queueLength: 50 } },
    { title: 'bytes', limit: { queueLength: 400, queueBytes: 50 * FRAME } },
  ]) {
    test(`drops the tail of a queue full of ${title}`, LIMIT, async () => {
      await vhost.setEgressShaper({ ...CLOSED, ...limit })
      const before = vhost.counters().tx
      send(200)
      const { tx, shaperQueue } = vhost.counters()
      assert.deepEqual(shaperQueue, { frames: 50, bytes: 50 * FRAME })
      assert.equal(tx.droppedShaperFull - before.droppedShaperFull, 200 - 50 - 2)
      // Without the shaper, what waits leaves first.
      await vhost.setEgressShaper(undefined)
      send(1, 1000)
      await until('all have come', () => got.length === 53)
      assert.deepEqual(got, [...upTo(52), 1000])
      assert.equal(vhost.egressShaper, undefined)
    })
  }

  test('takes other settings while frames wait', LIMIT, async () => {
    await vhost.setEgressShaper({ ...CLOSED, queueLength: 100 })
    send(100)
    const before = vhost.counters().tx.droppedShaperFull
    await vhost.setEgressShaper({ ...CLOSED, queueLength: 40 })
    assert.equal(vhost.counters().shaperQueue.frames, 40)
    assert.equal(vhost.counters().tx.droppedShaperFull - before, 58)
    await vhost.setEgressShaper({ rate: 1_000_000_000, queueLength: 40 })
    await until('all have come', () => got.length === 42)
    assert.deepEqual(got, upTo(42))
    assert.equal(vhost.egressShaper?.rate, 1_000_000_000)
  })

  test('several lcores send through it, each in order', LIMIT, async () => {
    const shaper = { rate: 10_000_000, burst: 10_000, queueLength: 2000 }
    await vhost.setEgressShaper(shaper)
    const before = vhost.counters().tx
    const frames = 1000
    const began = performance.now()
    for (const source of [1, 2]) {
      const data = { port: vhost.name, source, frames, length: 500 }
      await datapath.launch(SOURCE, { ports: 'pinned', data, name: `source${source}` })
    }
    await until('all have come', () => got.length === 2 * frames)
    const took = performance.now() - began
    // Lcores that end leave what waits to the others.
    for (const lcore of datapath.lcores) if (lcore.name.startsWith('source')) await lcore.stop()
    for (const source of [1, 2]) {
      const mine = got.filter((number) => number >> 16 === source)
      assert.deepEqual(mine, upTo(frames, source << 16))
    }
    assert.equal(vhost.counters().tx.droppedShaperFull, before.droppedShaperFull)
    // 500 bytes each, 400 us apart, but for the burst.
    const least = ((2 * frames * 500 - shaper.burst) * 8) / 10_000
    assert.ok(took >= least, `${took} ms, not ${least}`)
  })

  test('copies wait like others, and other receivers do not', LIMIT, async () => {
    await using other = await loopback(datapath, folder.path, { name: 'other' })
    const others: number[] = []
    await lcore.replace((burst: Burst) => {
      for (let i = 0; i < burst.count; i++) {
        const number = burst.view.getUint32((burst.offset[i] as number) + 14)
        if (burst.inPort === other.guest.id) others.push(number)
        else if (burst.inPort === guest.id) got.push(number)
        else if (burst.inPort === vhost.id) {
          burst.copyTo(i, vhost.id)
          burst.copyTo(i, other.vhost.id)
          // Both have it by reference or copied by now.
          burst.outPort[i] = vhost.id
        }
      }
    })
    await vhost.setEgressShaper({ rate: 800_000, burst: 2000, queueLength: 200 })
    // From the guest into the switch, which sends it back twice.
    for (let i = 0; i < 20; i++) guest.inject(numberedFrame(i, FRAME))
    await until('the other has all', () => others.length === 20)
    assert.ok(got.length < 40, `${got.length} came already`)
    await until('all have come', () => got.length === 40)
    assert.deepEqual(others, upTo(20))
    assert.deepEqual(
      [...got].sort((a, b) => a - b),
      upTo(20).flatMap((number) => [number, number]),
    )
    await lcore.replace(sink)
  })

  test('a guest that goes, and a port that goes, give back all that waits', LIMIT, async () => {
    // Together far more than packet memory has.
    const queueLength = Math.floor(datapath.info.frames / 2)
    const fill = (port: Port) => send(queueLength + 2, 0, port)
    for (let round = 0; round < 4; round++) {
      const one = await loopback(datapath, folder.path, { name: `round${round}` })
      // Lcores look at a queue when its next frame is due: every 100 ms, while all of it would take many minutes.
      await one.vhost.setEgressShaper({ ...CLOSED, rate: 80_000, queueLength })
      fill(one.vhost)
      assert.ok(one.vhost.counters().shaperQueue.frames > 0.9 * queueLength)
      await one.guest.remove()
      await until('it has noticed', () => one.vhost.status.state !== 'ready')
      await until('nothing waits', () => one.vhost.counters().shaperQueue.frames === 0)
      const { frames, droppedNotConnected } = one.vhost.counters().tx
      assert.ok(droppedNotConnected > 0.9 * queueLength, `${droppedNotConnected}`)
      assert.equal(frames + droppedNotConnected, queueLength + 2)
      await one.vhost.remove()

      const two = await loopback(datapath, folder.path, { name: `again${round}` })
      await two.vhost.setEgressShaper({ ...CLOSED, queueLength })
      fill(two.vhost)
      assert.equal(two.vhost.counters().shaperQueue.frames, queueLength)
      await two.vhost.remove()
      await two.guest.remove()
    }
  })

  test('wakes an lcore that sleeps when a frame is due, whoever queued it', LIMIT, async () => {
    // Nobody else polls: the guest is another process.
    await lcore.stop()
    const path = `${folder.path}/host`
    await using port = await datapath.addPort({ name: 'host', type: 'dpdkvhostuserclient', path })
    await using host = await TestHost.start({ path })
    await host.linkUp()
    await port.ready({ timeoutMs: 60_000 })
    await port.setEgressShaper({ rate: 800_000, burst: 2000, queueLength: 200 })
    const sleeper = { ports: ['host'], idle: 'adaptive', maxSleepMs: 10_000 } as const
    {
      await using _lcore = await datapath.run(() => {}, sleeper)
      const began = performance.now()
      send(20, 0, port)
      await until('all have come', () => port.counters().shaperQueue.frames === 0, 8000)
      const took = performance.now() - began
      assert.ok(took >= 175, `${took} ms`)
      await until('the guest has all', async () => (await host.counters()).rx.frames === 20)
    }
    // Slow enough that some are left when the next lcore runs.
    await port.setEgressShaper({ rate: 160_000, burst: 2000, queueLength: 200 })
    const data = { port: 'host', source: 1, frames: 60, length: FRAME }
    const source = await datapath.launch(SOURCE, { ports: 'pinned', data })
    const sent = ({ tx, shaperQueue } = port.counters()) => tx.frames + shaperQueue.frames
    await until('it has sent', () => sent() === 80)
    await using _lcore = await datapath.launch(SOURCE, {
      ...sleeper,
      data: { ...data, frames: 0 },
    })
    await source.stop()
    assert.ok(port.counters().shaperQueue.frames > 0, 'it left some')
    await until('all have come', () => port.counters().shaperQueue.frames === 0, 8000)
    await until('the guest has all', async () => (await host.counters()).rx.frames === 80)
    lcore = await datapath.run(sink)
  })

  test('refuses what cannot be', LIMIT, async () => {
    const refused = async (shaper: EgressShaper, message: RegExp) =>
      assert.rejects(vhost.setEgressShaper(shaper), (error: Error) => {
        assert.ok(error instanceof ConfigError)
        assert.match(error.message, message)
        return true
      })
    await refused({ rate: 999 }, /egressShaper\.rate/)
    await refused({ rate: 8000, burst: 1000 }, /egressShaper\.burst.*less than a frame of 1522/s)
    await refused({ rate: 8000, queueBytes: 1000 }, /egressShaper\.queueBytes.*1522/s)
    await refused({ rate: 8000, queueLength: 0 }, /egressShaper\.queueLength/)
    const queueLength = datapath.info.frames
    await assert.rejects(vhost.setEgressShaper({ rate: 8000, queueLength }), {
      code: 'ERR_NO_MEMORY',
      message: /may hold half of packet memory/,
    })
    const options = { name: 'x', type: 'dpdkvhostuser', path: `${folder.path}/x` } as const
    await assert.rejects(
      datapath.addPort({ ...options, egressShaper: { rate: 8000, burst: 1000 } }),
      /egressShaper\.burst/,
    )
    await using port = await datapath.addPort({ ...options, egressShaper: { rate: 8000 } })
    assert.deepEqual(port.egressShaper, { rate: 8000, queueLength: 1000 })
  })
})
