/** Numbered frames and their bookkeeping, without a network. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Headers, verifyIpv4Checksum, verifyTransportChecksum } from '../../src/headers/index.js'
import { FrameWriter } from '../../src/testkit/traffic/frame-writer.js'
import { LatencyHistogram } from '../../src/testkit/traffic/latency-histogram.js'
import { Receiver, Taken } from '../../src/testkit/traffic/receiver.js'
import type { SendResult } from '../../src/testkit/traffic/reports.js'
import { Sender, type SendOrder } from '../../src/testkit/traffic/sender.js'
import { SequenceWindow, WINDOW } from '../../src/testkit/traffic/sequence-window.js'
import { PlainBurst } from './plain-burst.js'

const SENDER = 0x020000000001
const RECEIVER = 0x020000000002
const STREAM = 0x89abcdef
const PORT = 0

const fields = {
  stream: STREAM,
  source: SENDER,
  destinations: [RECEIVER],
  sourceIp: '10.0.0.1',
  destinationIp: '10.0.0.2',
  flows: 3,
  sizes: [64],
}

describe('a numbered frame', () => {
  test('is a right UDP datagram at every size, whatever its number and time', () => {
    const sizes = Array.from({ length: 1514 - 64 + 1 }, (_, i) => 64 + i)
    const writer = new FrameWriter({ ...fields, sizes })
    const receiver = new Receiver(RECEIVER)
    const plain = new PlainBurst()
    const headers = new Headers()
    for (const i of sizes.keys()) {
      plain.empty()
      const number = (i * 0x01234567) % 2 ** 32
      const index = writer.write(plain.burst, i % 3, i, number, (i * 0x89abcdef) >>> 0)
      assert.ok(headers.parse(plain.burst, index))
      assert.ok(verifyIpv4Checksum(plain.burst.view, headers.l3))
      assert.ok(verifyTransportChecksum(plain.burst.view, headers))
      assert.equal(receiver.take(plain.burst, index), Taken.others, `size ${sizes[i]}`)
    }
    const { corrupted, rewritten, foreign, flows, bytes } = receiver.reportOf(STREAM)
    assert.deepEqual(
      { corrupted, rewritten, foreign, flows },
      { corrupted: 0, rewritten: 0, foreign: 0, flows: 3 },
    )
    assert.equal(
      bytes,
      sizes.reduce((sum, size) => sum + size, 0),
    )
  })

  test('shows every flipped bit', () => {
    const size = 97
    const writer = new FrameWriter({ ...fields, sizes: [size] })
    const plain = new PlainBurst()
    for (let bit = 0; bit < size * 8; bit++) {
      plain.empty()
      const receiver = new Receiver(RECEIVER)
      const index = writer.write(plain.burst, 1, 0, 0, 12_345)
      plain.frame(index)[bit >>> 3]! ^= 1 << (bit & 7)
      const taken = receiver.take(plain.burst, index)
      const { corrupted, rewritten } = receiver.reportOf(STREAM)
      const noticed = taken === Taken.no || taken === Taken.spoiled || corrupted + rewritten === 1
      assert.ok(noticed, `bit ${bit} of byte ${bit >>> 3}`)
    }
  })

  test('shows bytes that changed places, are missing, or are too many', () => {
    const one = () => {
      const plain = new PlainBurst()
      const index = new FrameWriter({ ...fields, sizes: [200] }).write(plain.burst, 0, 0, 0, 0)
      return { plain, index, receiver: new Receiver(RECEIVER) }
    }
    for (const spoil of [
      (bytes: Uint8Array) => bytes.copyWithin(100, 102, 150),
      (bytes: Uint8Array) => bytes.subarray(80, 88).reverse(),
      // Words that change places leave every checksum as it was.
      (bytes: Uint8Array) => bytes.set([...bytes.subarray(84, 88), ...bytes.subarray(80, 84)], 80),
    ]) {
      const { plain, index, receiver } = one()
      spoil(plain.frame(index))
      assert.equal(receiver.take(plain.burst, index), Taken.spoiled)
    }
    for (const length of [199, 201, 64]) {
      const { plain, index, receiver } = one()
      plain.burst.length[index] = length
      assert.equal(receiver.take(plain.burst, index), Taken.spoiled, `${length} bytes`)
    }
  })

  test('is recognised behind tags, and by its stream when it comes back', () => {
    const writer = new FrameWriter(fields)
    const plain = new PlainBurst()
    const receiver = new Receiver(SENDER)
    const index = writer.write(plain.burst, 0, 0, 0, 0)
    const at = plain.burst.offset[index] as number
    plain.burst.bytes.copyWithin(at - 4, at, at + 12)
    plain.burst.view.setUint32(at + 8, 0x8100_0064)
    plain.burst.offset[index] = at - 4
    plain.burst.length[index]! += 4
    receiver.own(STREAM)
    assert.equal(receiver.take(plain.burst, index), Taken.own)
    const { frames, tagged, foreign, rewritten } = receiver.reportOf(STREAM)
    assert.deepEqual(
      { frames, tagged, foreign, rewritten },
      { frames: 1, tagged: 1, foreign: 1, rewritten: 0 },
    )
  })
})

describe('the numbers of a flow', () => {
  function see(...numbers: number[]) {
    const window = new SequenceWindow()
    for (const number of numbers) window.see(number)
    const { frames, missing, duplicated, reordered, late } = window
    return [frames, missing, duplicated, reordered, late]
  }

  test('in order, with holes, twice, out of order', () => {
    assert.deepEqual(see(0, 1, 2, 3), [4, 0, 0, 0, 0])
    assert.deepEqual(see(0, 1, 5), [3, 3, 0, 0, 0])
    assert.deepEqual(see(3), [1, 3, 0, 0, 0])
    assert.deepEqual(see(0, 0, 1, 0), [2, 0, 2, 0, 0])
    assert.deepEqual(see(0, 2, 1), [3, 0, 0, 1, 0])
    assert.deepEqual(see(0, 2, 1, 1, 2), [3, 0, 2, 1, 0])
    assert.deepEqual(see(5, 0, 1, 2, 3, 4), [6, 0, 0, 5, 0])
  })

  test('far apart', () => {
    const far = 3 * WINDOW + 17
    assert.deepEqual(see(0, far), [2, far - 1, 0, 0, 0])
    // A place in the window belongs to another number by then.
    assert.deepEqual(see(0, far, far - WINDOW + 1), [3, far - 2, 0, 1, 0])
    const placeOf16 = 16 + WINDOW
    const beyond = placeOf16 + WINDOW - 5
    assert.deepEqual(see(16, beyond, placeOf16), [3, beyond + 1 - 3, 0, 1, 0])
    assert.deepEqual(see(0, far, 1), [2, far - 1, 0, 0, 1])
    assert.deepEqual(see(far - 1, far - 2 + WINDOW, far - 1), [2, far + WINDOW - 3, 1, 0, 0])
    assert.deepEqual(see(2 ** 32 - 2, 2 ** 32 - 1), [2, 2 ** 32 - 2, 0, 0, 0])
  })

  test('at random, against a plain account', () => {
    let state = 1
    const random = (below: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      return (state >>> 8) % below
    }
    for (let round = 0; round < 50; round++) {
      const window = new SequenceWindow()
      const seen = new Set<number>()
      let highest = -1
      const expected = { duplicated: 0, reordered: 0 }
      for (let i = 0; i < 3000; i++) {
        const number = Math.max(0, highest + 1 + random(30) - (random(4) === 0 ? 2000 : 0))
        if (seen.has(number)) expected.duplicated++
        else if (number < highest) expected.reordered++
        seen.add(number)
        highest = Math.max(highest, number)
        window.see(number)
      }
      const { frames, missing, duplicated, reordered } = window
      assert.deepEqual(
        { frames, missing, duplicated, reordered },
        { frames: seen.size, missing: highest + 1 - seen.size, ...expected },
      )
    }
  })
})

describe('a sender', () => {
  const order: SendOrder = { ...fields, rate: 'max' }

  /** Runs a sender against a ring that takes what it likes, and a clock. */
  function run(
    options: Partial<SendOrder>,
    {
      takes,
      stepMs,
      linkDown,
    }: { takes(made: number): number; stepMs: number; linkDown?: [number, number] },
  ) {
    let result: SendResult | undefined
    const plain = new PlainBurst()
    const receiver = new Receiver(RECEIVER)
    const sender = new Sender({ ...order, ...options }, { arrived: 0 }, (ended) => {
      result = ended
    })
    let now = 1000
    for (let i = 0; result === undefined && i < 100_000; i++) {
      plain.now = now
      plain.linkUp(PORT, !(linkDown && now >= linkDown[0] && now < linkDown[1]))
      plain.empty()
      const made = sender.fill(plain.burst, PORT)
      const accepted = Math.max(takes(made), 0)
      for (let frame = 0; frame < accepted; frame++) receiver.take(plain.burst, frame)
      now += stepMs
      sender.settle(made, accepted, now)
      sender.endIfDone(now)
    }
    return { sent: result as unknown as SendResult, got: receiver.reportOf(STREAM) }
  }

  test('gives no number twice and leaves none out, whatever the ring refuses', () => {
    for (const refuse of [0, 1, 3, 7, 64]) {
      let turn = 0
      const takes = (made: number) => (turn++ % 3 === 0 ? made - refuse : made)
      const { sent, got } = run(
        { frames: 5000, flows: 7, sizes: [64, 100, 1514] },
        { takes, stepMs: 0.01 },
      )
      assert.equal(sent.frames, 5000)
      assert.ok(sent.finished)
      const { frames, bytes, missing, duplicated, reordered, corrupted, flows } = got
      assert.deepEqual(
        { frames, missing, duplicated, reordered, corrupted, flows },
        { frames: 5000, missing: 0, duplicated: 0, reordered: 0, corrupted: 0, flows: 7 },
      )
      assert.equal(sent.bytes, bytes)
      assert.equal(sent.destinations['02:00:00:00:00:02'], 5000)
    }
  })

  test('keeps its rate', () => {
    const takes = (made: number) => made
    const { sent } = run({ rate: 50_000, seconds: 2 }, { takes, stepMs: 0.3 })
    assert.equal(sent.frames, 100_000)
    assert.ok(Math.abs(sent.ms - 2000) < 2, `${sent.ms} ms`)
    assert.deepEqual(sent.skipped, { linkDown: 0, late: 0 })
  })

  test('does not make up for time without a link, nor for much time without a turn', () => {
    const takes = (made: number) => made
    const down = run(
      { rate: 10_000, seconds: 1, flows: 1 },
      { takes, stepMs: 1, linkDown: [1300, 1500] },
    )
    assert.ok(Math.abs(down.sent.skipped.linkDown - 2000) <= 10, `${down.sent.skipped.linkDown}`)
    assert.equal(down.sent.frames + down.sent.skipped.linkDown, 10_000)
    assert.equal(down.got.missing, down.sent.skipped.linkDown)

    const slow = run({ rate: 10_000, seconds: 1, flows: 1 }, { takes, stepMs: 100 })
    assert.ok(slow.sent.skipped.late > 3000, `${slow.sent.skipped.late}`)
    assert.equal(slow.got.missing, slow.sent.skipped.late)
    assert.equal(slow.sent.frames + slow.sent.skipped.late, 10_000)
  })

  test('gives every flow frames of every size', () => {
    const plain = new PlainBurst()
    const sender = new Sender(
      { ...order, flows: 3, sizes: [64, 128, 256] },
      { arrived: 0 },
      () => {},
    )
    plain.linkUp(PORT, true)
    const seen = new Set<string>()
    const made = sender.fill(plain.burst, PORT)
    for (let i = 0; i < made; i++) {
      const flow = plain.burst.view.getUint16((plain.burst.offset[i] as number) + 34)
      seen.add(`${flow} ${plain.burst.length[i]}`)
    }
    assert.equal(seen.size, 9)
  })
})

test('latencies are sorted into buckets that hold them', () => {
  const histogram = new LatencyHistogram()
  assert.equal(histogram.report(), undefined)
  for (let us = 1; us <= 1000; us++) histogram.add(us)
  const report = histogram.report()
  assert.ok(report)
  assert.equal(report.min, 1)
  assert.equal(report.max, 1000)
  assert.equal(report.mean, 500.5)
  assert.ok(report.median >= 500 && report.median <= 500 * 1.13, `${report.median}`)
  assert.ok(report.p99 >= 990 && report.p99 <= 1000, `${report.p99}`)
  histogram.add(2 ** 31 - 1)
  assert.equal(histogram.report()?.max, 2 ** 31 - 1)
})
