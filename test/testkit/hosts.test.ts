/** Hosts on a real switch: what they send arrives, and what a switch does wrong is seen exactly. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { buildEthernet } from '../../src/headers/build.js'
import type { Burst } from '../../src/index.js'
import type { StreamReport, TestHost } from '../../src/testkit/index.js'
import { until } from '../support/loopback.js'
import { Wire } from './wire.js'

const LIMIT = { timeout: 240_000 }
/** What a ring of 1024 holds even if its reader gets no turn meanwhile. */
const FRAMES = 900

const FAULTLESS = { duplicated: 0, reordered: 0, late: 0, corrupted: 0, rewritten: 0, tagged: 0 }

function faults({ duplicated, reordered, late, corrupted, rewritten, tagged }: StreamReport) {
  return { duplicated, reordered, late, corrupted, rewritten, tagged }
}

/** Sends frames from `a` to `b`; all of them have to arrive, byte for byte. */
async function allArrive(a: TestHost, b: TestHost, options: object = {}): Promise<StreamReport> {
  const sent = await a.send({ to: b, frames: FRAMES, ...options })
  assert.equal(sent.frames, FRAMES)
  const delivery = await b.delivery(sent)
  const { frames, lost, missing, bytes } = delivery
  assert.deepEqual(
    { frames, lost, missing, bytes },
    { frames: FRAMES, lost: 0, missing: 0, bytes: sent.bytes },
  )
  assert.deepEqual(faults(delivery), FAULTLESS)
  return delivery
}

async function pings(a: TestHost, b: TestHost, size = 56): Promise<void> {
  for (const address of b.addresses) {
    const { sent, received, rttMs } = await a.ping(address, { count: 3, intervalMs: 10, size })
    assert.deepEqual({ sent, received }, { sent: 3, received: 3 }, `${a.name} to ${address}`)
    assert.ok(rttMs.min > 0 && rttMs.min <= rttMs.median && rttMs.median <= rttMs.max)
  }
}

describe('hosts that listen, split rings', LIMIT, () => {
  let wire: Wire
  let a: TestHost
  let b: TestHost
  before(async () => {
    wire = await Wire.open()
    ;[a, b] = await wire.join()
  })
  after(() => wire[Symbol.asyncDispose]())

  test('ping each other over IPv4 and IPv6', async () => {
    await pings(a, b)
    await pings(b, a, 1400)
  })

  test('get no answer from an address that nobody has', async () => {
    const { sent, received } = await a.ping('10.0.0.99', { timeoutMs: 100 })
    assert.deepEqual({ sent, received }, { sent: 1, received: 0 })
  })

  for (const size of [64, 65, 127, 600, 1513, 1514, [64, 1514], 'imix']) {
    test(`frames of ${size} bytes`, async () => void (await allArrive(a, b, { size })))
  }

  test('flows, each with numbers of its own', async () => {
    const { flows } = await allArrive(a, b, { flows: 100, size: [64, 128, 256] })
    assert.equal(flows, 100)
  })

  test('several receivers, and everybody', async () => {
    const sent = await a.send({ to: [b, '02:00:00:00:00:77', 'broadcast'], frames: 300 })
    assert.deepEqual(Object.values(sent.destinations), [100, 100, 100])
    const { frames, foreign, lost, flows } = await b.delivery(sent)
    assert.deepEqual(
      { frames, foreign, lost, flows },
      { frames: 300, foreign: 100, lost: 0, flows: 3 },
    )
  })

  test('a rate, for a time, until stopped', async () => {
    const begun = performance.now()
    const sent = await a.send({ to: b, rate: 2000, seconds: 0.5 })
    const took = performance.now() - begun
    assert.equal(sent.frames + sent.skipped.late, 1000)
    assert.ok(sent.ms > 400 && sent.ms < took, `${sent.ms} of ${took} ms`)
    const sending = await b.startSending({ to: a, rate: 2000 })
    await until('it goes', async () => (await sending.progress()).frames > 300)
    const result = await sending.stop()
    assert.ok(result.frames > 300, `${result.frames}`)
    assert.equal(result.finished, false)
    assert.equal((await a.delivery(result)).lost, 0)
  })

  test('a window of frames that come back', async () => {
    await b.echo(true)
    const sent = await a.send({ to: b, frames: 20_000, window: 200 })
    const there = await b.delivery(sent)
    // The last of them come back after all are sent.
    const back = await a.delivery(sent, { frames: 20_000 })
    await b.echo(false)
    assert.deepEqual([there.frames, back.frames, there.lost, back.lost], [20_000, 20_000, 0, 0])
    assert.deepEqual([faults(there), faults(back)], [FAULTLESS, FAULTLESS])
    assert.deepEqual([there.foreign, back.foreign], [0, 0])
    assert.ok((back.latencyMicroseconds?.median ?? 0) > 0)
  })

  test('a window of frames that are lost is given up', async () => {
    let seen = 0
    await using _ = await wire.by(({ count, inPort, outPort }: Burst) => {
      for (let i = 0; i < count; i++) outPort[i] = ++seen <= 100 ? -1 : inPort ^ 1
    })
    await b.echo(true)
    const sent = await a.send({ to: b, frames: 300, window: 100 })
    assert.equal(sent.frames, 300)
    const back = await a.delivery(sent, { frames: 200 })
    await b.echo(false)
    assert.deepEqual([back.frames, back.missing], [200, 100])
  })

  test('frames of the caller’s own making, byte for byte', async () => {
    await using capture = await b.capture({ etherType: 0x88b5 })
    const frames = [14, 60, 64, 1000, 1514, 1522].map((length) => {
      const payload = Uint8Array.from({ length: length - 14 }, (_, i) => i * 7)
      return buildEthernet({ destination: b.mac, source: a.mac, type: 0x88b5, payload })
    })
    for (const frame of frames) await a.sendFrame(frame)
    const arrived = await capture.take(frames.length, { timeoutMs: 10_000 })
    assert.deepEqual(arrived.map(Buffer.from), frames.map(Buffer.from))
    assert.deepEqual(await capture.take(1, { timeoutMs: 100 }), [])
    await assert.rejects(a.sendFrame(new Uint8Array(13)), /13 bytes; it needs 14 to 1522/)
  })

  test('every n-th frame dropped is every n-th frame missed', async () => {
    let seen = 0
    await using _ = await wire.by(({ count, inPort, outPort }: Burst) => {
      for (let i = 0; i < count; i++) outPort[i] = ++seen % 7 === 0 ? -1 : inPort ^ 1
    })
    const sent = await a.send({ to: b, frames: 701 })
    const { frames, lost, missing } = await b.delivery(sent)
    assert.deepEqual({ frames, lost, missing }, { frames: 601, lost: 100, missing: 100 })
    // The last of all leaves no hole between others.
    seen = 0
    const { frames: f, lost: l, missing: m } = await b.delivery(await a.send({ to: b, frames: 7 }))
    assert.deepEqual([f, l, m], [6, 1, 0])
  })

  test('frames sent twice', async () => {
    let seen = 0
    await using _ = await wire.by((burst) => {
      for (let i = 0; i < burst.count; i++) {
        burst.outPort[i] = burst.inPort ^ 1
        if (++seen % 10 === 0) burst.copyTo(i, burst.inPort ^ 1)
      }
    })
    const delivery = await b.delivery(await a.send({ to: b, frames: 500 }))
    const copies = async () => (await b.receivedOf(delivery)).duplicated
    await until('the copies came', async () => (await copies()) >= 50)
    const { frames, duplicated } = await b.receivedOf(delivery)
    assert.deepEqual({ frames, duplicated }, { frames: 500, duplicated: 50 })
  })

  test('frames that overtake others', async () => {
    const held: { number: number; frame: Uint8Array }[] = []
    let seen = 0
    await using _ = await wire.by((burst) => {
      const { bytes, offset, length, inPort, outPort, count } = burst
      for (let i = 0; i < count; i++) {
        // Every fifth frame waits until the one after it has passed.
        const at = offset[i] as number
        if (++seen % 5 === 0)
          held.push({ number: seen, frame: bytes.slice(at, at + (length[i] as number)) })
        else outPort[i] = inPort ^ 1
      }
      // What is made leaves after what came.
      for (let next = held[0]; next && next.number < seen; next = held[0]) {
        const index = burst.create(next.frame.length)
        if (index < 0) break
        bytes.set(next.frame, offset[index])
        outPort[index] = inPort ^ 1
        held.shift()
      }
    })
    const sent = await a.send({ to: b, frames: 501, rate: 2000 })
    const { frames, lost, reordered } = await b.delivery(sent)
    assert.deepEqual({ frames, lost, reordered }, { frames: 501, lost: 0, reordered: 100 })
  })

  test('frames spoiled, rewritten, tagged', async () => {
    let seen = 0
    await using _ = await wire.by((burst) => {
      const { bytes, view, offset, length, inPort, outPort, count } = burst
      for (let i = 0; i < count; i++) {
        const at = offset[i] as number
        const kind = seen++ % 4
        if (kind === 1) bytes[at + 70]! ^= 0x10
        if (kind === 2) view.setUint32(at + 8, 0x0badcafe)
        if (kind === 3) {
          bytes.copyWithin(at - 4, at, at + 12)
          view.setUint32(at + 8, 0x8100_0005)
          offset[i] = at - 4
          length[i]! += 4
        }
        outPort[i] = inPort ^ 1
      }
    })
    const sent = await a.send({ to: b, frames: 400, size: 100 })
    const delivery = await b.delivery(sent)
    assert.deepEqual(faults(delivery), {
      ...FAULTLESS,
      corrupted: 100,
      rewritten: 100,
      tagged: 100,
    })
    assert.deepEqual([delivery.frames, delivery.lost], [300, 100])
  })

  test('the longest gap in a stream', async () => {
    const sending = await a.startSending({ to: b, rate: 2000 })
    const arrived = async () => (await b.receivedOf(sending)).frames
    await until('it flows', async () => (await arrived()) > 100)
    const begun = Date.now()
    let gapEnds = 0
    let dropped = 0
    let forwardedAt = 0
    await using _ = await wire.by(({ count, inPort, outPort, now }) => {
      if (gapEnds === 0) gapEnds = now + 1000
      if (now < gapEnds) dropped += count
      else forwardedAt ||= Date.now()
      for (let i = 0; i < count; i++) outPort[i] = now < gapEnds ? -1 : inPort ^ 1
    })
    await until('the gap is over', () => forwardedAt > 0)
    const before = await arrived()
    await until('it flows again', async () => (await arrived()) > before)
    const sent = await sending.stop()
    const { longestGap, missing } = await b.delivery(sent)
    const { ms = 0, endedAt = 0, missing: swallowed = 0 } = longestGap ?? {}
    // How late the host saw the frames on both sides of it is up to the machine.
    assert.ok(ms > 500 && ms < Date.now() - begun + 500, `${ms} ms`)
    assert.ok(endedAt > forwardedAt - 50 && endedAt < Date.now() + 50, `${endedAt}`)
    // A number that came too late to be sent is missing too.
    const { late } = sent.skipped
    assert.ok(dropped > 100 && swallowed >= dropped && swallowed <= dropped + late, `${swallowed}`)
    assert.ok(missing >= swallowed && missing <= dropped + late, `${missing} missing`)
  })

  test('counters, and a clean slate', async () => {
    const { rx, tx } = await a.counters()
    assert.ok(tx.frames > 5000 && tx.bytes > tx.frames * 64 && rx.frames > 0)
    assert.ok((await b.received()).streams.length > 5)
    await b.forget()
    assert.deepEqual(await b.received(), { streams: [], corrupted: 0, control: 0, other: 0 })
    await allArrive(a, b)
  })
})

describe('hosts of other kinds', LIMIT, () => {
  let wire: Wire
  before(async () => {
    wire = await Wire.open({ mtu: 9000 })
  })
  after(() => wire[Symbol.asyncDispose]())

  test('that listen, packed rings, three queue pairs', async () => {
    const [a, b] = await wire.join({ packed: true, queues: 3 })
    assert.equal(wire.ports[0]?.status.negotiated?.ring, 'packed')
    await pings(a, b)
    for (const size of [64, 1514]) await allArrive(a, b, { size })
    const before = wire.ports[0]?.counters().rxQueues.map(({ frames }) => frames) ?? []
    for (const queue of [2, 1, 0]) await allArrive(a, b, { queue, flows: 4 })
    const after = wire.ports[0]?.counters().rxQueues.map(({ frames }) => frames) ?? []
    assert.deepEqual(
      after.map((frames, i) => frames - (before[i] ?? 0)),
      [FRAMES, FRAMES, FRAMES],
    )
    // All queues at once.
    const sent = await Promise.all([0, 1, 2].map((queue) => a.send({ to: b, frames: 300, queue })))
    for (const one of sent) assert.equal((await b.delivery(one)).lost, 0)

    // A second lcore of the switch sends by another tx queue, and the host still has it all in one account.
    const program = new URL('./children/join-pairs.js', import.meta.url)
    await using _ = await wire.datapath.launch(program)
    const used = new Set<string>()
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      for (const queue of [0, 1, 2]) {
        const { queues } = await allArrive(from, to, { queue })
        for (const name of Object.keys(queues)) used.add(name)
      }
    }
    assert.equal(used.size, 2, [...used].join())
  })

  test('that listen, neither in order nor mergeable, jumbo frames', async () => {
    const [a, b] = await wire.join({ inOrder: false, mergeable: false, mtu: 9000 })
    const features = wire.ports.at(-1)?.status.negotiated?.features ?? []
    assert.ok(
      !features.includes('VIRTIO_F_IN_ORDER') && !features.includes('VIRTIO_NET_F_MRG_RXBUF'),
    )
    await pings(a, b, 8000)
    await allArrive(a, b, { size: [64, 9014] })
  })

  test('that connect: again when the switch is back', async () => {
    const [a, b] = await wire.join({ listen: false })
    await pings(a, b)
    for (const size of [64, 1514]) await allArrive(a, b, { size })
    const port = wire.ports.at(-1)
    assert.ok(port)
    const { name, spec } = port
    const wait = b.linkDown()
    await port.remove()
    await wait
    await assert.rejects(
      b.sendFrame(new Uint8Array(64)),
      /link of host\d+ is down.*wait for linkUp/,
    )
    const again = await wire.datapath.addPort({ ...spec, name: `${name}b` } as never)
    const { generation } = await b.linkUp()
    assert.ok(generation >= 1)
    await again.ready({ timeoutMs: 60_000 })
    // Another port, another id: the pair is joined by name now.
    const pair = [wire.ports.at(-2)?.id ?? -1, again.id]
    await using _ = await wire.by(({ count, inPort, outPort }) => {
      const other = inPort === pair[0] ? pair[1] : pair[0]
      for (let i = 0; i < count; i++) outPort[i] = other as number
    })
    await pings(a, b)
  })
})
