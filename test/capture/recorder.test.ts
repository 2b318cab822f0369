/** What lcores write into rings, over made-up bursts. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Burst } from '../../src/burst/burst.js'
import { compileFilter, Recorder } from '../../src/capture/index.js'
import type { CapturedFrame } from '../../src/switch/cli/pcapng-scanner.js'
import { Random, seeds } from '../headers/random.js'
import { MadeUpBurst } from '../support/made-up-burst.js'
import { MadeUpCapture, START } from './made-up-capture.js'

const PORTS = ['a', 'b', 'c']
const directory = {
  ids: new Map(PORTS.map((name, id) => [name, id])),
  names: new Map(PORTS.map((name, id) => [id, name])),
}
const frameOf = (length: number, byte: number) => new Uint8Array(length).fill(byte)
const text = ({ port, direction, bytes }: CapturedFrame) =>
  `${port} ${direction} ${bytes.toString('hex')}`

function recorderOf(...captures: MadeUpCapture[]): Recorder {
  const recorder = new Recorder(0)
  recorder.configure(
    captures.map(({ image }) => image),
    directory,
  )
  return recorder
}

describe('a recorder', () => {
  test('sees frames as they came in, and each that leaves as it leaves', () => {
    const capture = new MadeUpCapture(PORTS)
    const flow = new MadeUpBurst(3)
    recorderOf(capture)
      .around({
        burst(burst: Burst) {
          // A tag is pushed, the first byte is another, and a frame that is made goes out too.
          burst.offset[0] = (burst.offset[0] as number) - 4
          burst.length[0] = (burst.length[0] as number) + 4
          burst.bytes[burst.offset[0] as number] = 0xee
          burst.outPort[0] = 1
          burst.copyTo(0, 2)
          const made = burst.create(14)
          burst.bytes.fill(7, burst.offset[made], (burst.offset[made] as number) + 14)
          burst.outPort[made] = 2
        },
      })
      .burst(flow.receive(0, [frameOf(15, 1), frameOf(16, 2)]))
    const tagged = `ee${'5a'.repeat(3)}${'01'.repeat(15)}`
    assert.deepEqual(capture.frames().map(text), [
      `a rx ${'01'.repeat(15)}`,
      `a rx ${'02'.repeat(16)}`,
      `b tx ${tagged}`,
      `c tx ${'07'.repeat(14)}`,
      `c tx ${tagged}`,
    ])
    assert.deepEqual(capture.merger.counters(2), {
      received: 2,
      matched: 2,
      dropped: 0,
      delivered: 2,
    })
  })

  test('sees copies that leave early, as they are then', () => {
    const capture = new MadeUpCapture(['b'])
    const flow = new MadeUpBurst(3, 2)
    recorderOf(capture)
      .around({
        burst(burst: Burst) {
          for (let i = 0; i < 5; i++) {
            burst.bytes.fill(i, burst.offset[0], (burst.offset[0] as number) + 14)
            burst.copyTo(0, 1)
          }
        },
      })
      .burst(flow.receive(0, [frameOf(14, 9)]))
    // Two at a time, with the bytes that the frame has when the third comes.
    assert.deepEqual(
      capture.frames().map(({ bytes }) => bytes[0]),
      [2, 2, 4, 4, 4],
    )
  })

  test('leaves out what is not asked for', async () => {
    const filter = await compileFilter('ether[0] = 1 and len < 40')
    const flow = new MadeUpBurst(3)
    const run = (capture: MadeUpCapture) => {
      const program = { burst: (burst: Burst) => void burst.outPort.fill(1, 0, burst.count) }
      const frames = [frameOf(20, 1), frameOf(20, 2), frameOf(50, 1)]
      recorderOf(capture).around(program).burst(flow.receive(0, frames))
      return capture.frames().map(({ port, direction, bytes, length }) => {
        return `${port} ${direction} ${bytes.length}/${length}`
      })
    }
    assert.deepEqual(run(new MadeUpCapture(['a', 'b'], { filter, snaplen: 3 })), [
      'a rx 3/20',
      'b tx 3/20',
    ])
    assert.equal(run(new MadeUpCapture(['a', 'b'], { direction: 'rx' })).length, 3)
    assert.equal(run(new MadeUpCapture(['b'], { direction: 'rx' })).length, 0)
    assert.equal(run(new MadeUpCapture(['b'], { direction: 'tx' })).length, 3)
    flow.setReady(1, false)
    assert.equal(run(new MadeUpCapture(['b'])).length, 0)
  })

  test('follows ports by name, and verdicts that are none harm nobody', () => {
    const capture = new MadeUpCapture(['c'])
    const flow = new MadeUpBurst(3)
    const recorder = recorderOf(capture)
    recorder.portsChanged({ ids: new Map([['c', 0]]), names: new Map([[0, 'c']]) })
    recorder
      .around({
        burst(burst: Burst) {
          burst.outPort.set([0, 4711, -7])
          burst.offset[0] = 2 ** 32 - 1
          burst.copyTo(400, 0)
          burst.copyTo(1, 2 ** 31 - 1)
        },
      })
      .burst(flow.receive(0, [frameOf(14, 1), frameOf(14, 2), frameOf(14, 3)]))
    assert.deepEqual(
      capture.frames().map(({ port, direction }) => `${port} ${direction}`),
      ['c rx', 'c rx', 'c rx'],
    )
  })

  test('is nowhere when nothing is captured', () => {
    const flow = new MadeUpBurst(3, 1)
    const capture = new MadeUpCapture(['a'], { direction: 'rx' })
    const recorder = recorderOf(capture)
    assert.deepEqual(
      [recorder.active, recorder.isNeeded(0), recorder.isNeeded(1)],
      [true, true, false],
    )
    recorder.around({ burst() {} }).burst(flow.receive(0, [frameOf(14, 1)]))
    recorder.configure([], directory)
    assert.deepEqual([recorder.active, recorder.isNeeded(0)], [false, false])
    assert.equal(flow.burst.onFlush, undefined)
  })
})

describe('a ring', () => {
  const [, seed] = seeds()
  test(`loses nothing but what has no room, and counts that (seed ${seed})`, () => {
    const random = new Random(seed as number)
    const capture = new MadeUpCapture(['a'], { direction: 'rx' })
    const flow = new MadeUpBurst(3)
    const program = recorderOf(capture).around({ burst() {} })
    const expected: string[] = []
    const got: string[] = []
    let sent = 0
    for (let round = 0; round < 6000; round++) {
      const frames = Array.from({ length: random.between(1, 8) }, () =>
        random.bytes(random.pick([1, 60, 61, 62, 63, 999, 1514, 1514, 1514])),
      )
      const before = capture.merger.counters(0)
      program.burst(flow.receive(0, frames))
      sent += frames.length
      const { dropped } = capture.merger.counters(0)
      // Which of a burst were lost is of no matter: none of one with losses is looked at.
      if (dropped === before.dropped) expected.push(...frames.map(hex))
      else for (const frame of frames) lost.add(hex(frame))
      // First round and round; then more comes between two looks than there is room for.
      if (round % (round < 4500 ? 150 : 1500) === 0)
        got.push(...capture.frames().map(({ bytes }) => hex(bytes)))
    }
    got.push(...capture.frames().map(({ bytes }) => hex(bytes)))
    const counters = capture.merger.counters(0)
    assert.ok(counters.dropped > 0 && counters.delivered > 2000)
    assert.equal(counters.received, sent)
    assert.equal(counters.delivered + counters.dropped, sent)
    assert.deepEqual(
      got.filter((frame) => !lost.has(frame)),
      expected.filter((frame) => !lost.has(frame)),
    )
  })
  const lost = new Set<string>()
})

describe('stamps', () => {
  const stampsOf = (...steps: (() => void)[]) => {
    const capture = new MadeUpCapture(['a'])
    const flow = new MadeUpBurst(1)
    const program = recorderOf(capture).around({ burst() {} })
    const times: bigint[] = []
    const look = () => {
      program.burst(flow.receive(0, [frameOf(14, 1)]))
      times.push(...capture.frames().map(({ time }) => time))
    }
    return { capture, flow, look, times, steps }
  }
  const start = (BigInt(START.high) << 32n) | BigInt(START.low)

  test('are nanoseconds of the time of day, beyond 32 bits and before the line', () => {
    const { flow, look, times } = stampsOf()
    for (const seconds of [0, 0.001, 10, -10.5]) {
      flow.pass(seconds)
      look()
    }
    const wanted = [0n, 1_000_000n, 10_001_000_000n, -499_000_000n].map((ns) => start + ns)
    assert.deepEqual(times, wanted)
  })

  test('do not go back by a line drawn anew, but follow a clock that was set', () => {
    const { capture, flow, look, times } = stampsOf()
    flow.pass(1)
    look()
    const drawn = { ...START, clock: START.clock + 0.2 }
    capture.setClock(drawn)
    look()
    capture.setClock({ ...START, high: START.high - 100 })
    look()
    assert.equal(times[1], times[0])
    assert.equal(times[2], (times[0] as bigint) - (100n << 32n))
  })
})

describe('blocks of two lcores', () => {
  test('come by their stamps, those that may be overtaken later', () => {
    const capture = new MadeUpCapture(['a'])
    const lcores = [0, 1].map((index) => {
      const flow = new MadeUpBurst(1)
      const recorder = new Recorder(index)
      recorder.configure([capture.image], directory)
      const program = recorder.around({ burst() {} })
      return (seconds: number, byte: number) => {
        flow.memory.clock[0] = START.clock + seconds * 1000
        program.burst(flow.receive(0, [frameOf(14, byte)]))
      }
    })
    const [one, two] = lcores as [(s: number, b: number) => void, (s: number, b: number) => void]
    one(1, 1)
    one(3, 3)
    two(2, 2)
    two(4, 4)
    const start = (BigInt(START.high) << 32n) | BigInt(START.low)
    const until = start + 3_000_000_000n
    const first = capture.merger.take({
      high: Number(until >> 32n),
      low: Number(until & 0xffff_ffffn),
    })
    assert.equal(first?.length, 3 * 60)
    one(5, 5)
    assert.deepEqual(
      capture.frames().map(({ bytes }) => bytes[0]),
      [4, 5],
    )
  })
})

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
