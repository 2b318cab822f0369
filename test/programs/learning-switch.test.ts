import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError } from '../../src/config/config-error.js'
import { formatMac } from '../../src/headers/mac.js'
import makeLearningSwitch, {
  type LearningSwitch,
  type LearningSwitchOptions,
  learningSwitch,
  sharedMacTable,
} from '../../src/programs/learning-switch.js'
import { broadcast, frame, station } from './frames.js'
import { TestLcore } from './test-lcore.js'

const [A, B, C] = [station(0xa), station(0xb), station(0xc)]

function start(options?: LearningSwitchOptions): { lcore: TestLcore; program: LearningSwitch } {
  const program = learningSwitch(options)
  return { program, lcore: new TestLcore(program, ['a', 'b', 'c', 'd']) }
}

const toAllBut = (port: number, index = 0): [number, number][] =>
  [0, 1, 2, 3].filter((id) => id !== port).map((id) => [index, id])

describe('forwarding', () => {
  test('unknown destinations go to every other port', () => {
    const { lcore } = start()
    assert.deepEqual(lcore.run(1, frame(B, A)).sent, toAllBut(1))
  })

  test('known ones go to their port alone', () => {
    const { lcore } = start()
    lcore.run(0, broadcast(A))
    assert.deepEqual(lcore.run(1, frame(B, A)).sent, [[0, 0]])
    assert.deepEqual(lcore.run(0, frame(A, B)).sent, [[0, 1]])
  })

  test('groups go to every other port, known stations or not', () => {
    const { lcore } = start()
    for (const to of [0xffffffffffff, 0x01005e000001, 0x333300000001]) {
      assert.deepEqual(lcore.run(2, frame(A, to), frame(A, to)).sent, [
        ...toAllBut(2, 0),
        ...toAllBut(2, 1),
      ])
    }
  })

  test('nothing goes back where it came from', () => {
    const { lcore } = start()
    lcore.run(0, broadcast(A), broadcast(B))
    assert.deepEqual(lcore.run(0, frame(A, B), frame(B, A), frame(A, A)), {
      sent: [],
      dropped: [0, 1, 2],
    })
  })

  test('what is learnt counts for the next frame of the same burst', () => {
    const { lcore } = start()
    // B is unknown, then known to be on the port that the burst came from.
    const outcome = lcore.run(0, frame(A, B), frame(B, B), frame(A, B))
    assert.deepEqual(outcome, { sent: toAllBut(0), dropped: [1, 2] })
  })

  test('frames without a whole Ethernet header are dropped and teach nothing', () => {
    const { lcore, program } = start()
    const short = broadcast(A).subarray(0, 13)
    assert.deepEqual(lcore.run(0, short, new Uint8Array(0), broadcast(B).subarray(0, 14)), {
      sent: toAllBut(0, 2),
      dropped: [0, 1],
    })
    assert.deepEqual(
      program.entries().map(({ mac }) => mac),
      [formatMac(B)],
    )
  })

  test('a mixed burst, each frame by itself', () => {
    const { lcore } = start()
    lcore.run(1, broadcast(B))
    lcore.run(2, broadcast(C))
    const { sent } = lcore.run(
      0,
      frame(A, B),
      frame(A, C),
      frame(A, B),
      frame(A, B),
      frame(A, station(9)),
      frame(A, C),
    )
    assert.deepEqual(sent, [[0, 1], [1, 2], [2, 1], [3, 1], ...toAllBut(0, 4), [5, 2]])
  })

  test('floods of a whole burst, more copies than fit at a time', () => {
    const { lcore } = start()
    const frames = Array.from({ length: 64 }, () => broadcast(A))
    assert.deepEqual(
      lcore.run(3, ...frames).sent,
      frames.flatMap((_, i) => toAllBut(3, i)),
    )
  })

  test('what bridges keep to themselves is kept, unless it is asked for', () => {
    const reserved = [0x0180c2000000, 0x0180c2000001, 0x0180c200000e, 0x0180c200000f]
    const others = [0x0180c2000010, 0x0180c2000100, 0x0180c2010000, 0x0180c3000000]
    for (const to of [...reserved, ...others]) {
      const dropped = start().lcore.run(0, frame(A, to)).dropped.length === 1
      assert.equal(dropped, reserved.includes(to), formatMac(to))
      assert.deepEqual(start({ forwardBpdu: true }).lcore.run(0, frame(A, to)).sent, toAllBut(0))
    }
  })
})

describe('learning', () => {
  test('groups and the zero address are no stations', () => {
    const { lcore, program } = start()
    for (const from of [0, 0x010000000001, 0xffffffffffff, 0x333300000001]) {
      assert.deepEqual(lcore.run(0, frame(from, B)).sent, toAllBut(0))
    }
    assert.equal(program.size, 0)
  })

  test('entries tell the address, the port and the age', () => {
    const { lcore, program } = start()
    lcore.run(0, frame(0x0123456789ab - 0x010000000000, B))
    lcore.pass(5)
    lcore.run(2, broadcast(C))
    assert.deepEqual(program.message({ type: 'entries' }), [
      { mac: '00:23:45:67:89:ab', port: 'a', age: 5 },
      { mac: formatMac(C), port: 'c', age: 0 },
    ])
  })

  test('an address that moves is followed and counted', () => {
    const moves: unknown[] = []
    const { lcore, program } = start({ onMove: (...move) => moves.push(move) })
    lcore.run(0, broadcast(A), broadcast(A))
    lcore.pass(1)
    lcore.run(0, broadcast(A))
    lcore.run(2, broadcast(A))
    assert.deepEqual(lcore.run(1, frame(B, A)).sent, [[0, 2]])
    assert.deepEqual(lcore.run(2, frame(A, A)).dropped, [0])
    assert.deepEqual(moves, [[A, 0, 2]])
    assert.deepEqual([program.moves, program.size], [1, 2])
  })

  test('flush forgets', () => {
    const { lcore, program } = start()
    lcore.run(0, broadcast(A), broadcast(B))
    assert.equal(program.message({ type: 'flush' }), 2)
    assert.deepEqual(program.entries(), [])
    assert.deepEqual(lcore.run(1, frame(C, A)).sent, toAllBut(1))
    assert.deepEqual(program.message({ type: 'stats' }), {
      size: 1,
      limit: 8192,
      learned: 3,
      moves: 0,
      evictions: 0,
      expired: 0,
    })
  })
})

describe('ageing', () => {
  test('forgets what was not seen for 300 seconds', () => {
    const { lcore, program } = start()
    lcore.run(0, broadcast(A))
    lcore.pass(300)
    assert.deepEqual(lcore.run(1, frame(B, A)).sent, [[0, 0]])
    lcore.pass(1)
    assert.deepEqual(lcore.run(1, frame(B, A)).sent, toAllBut(1))
    assert.equal(program.stats.expired, 1)
  })

  test('starts anew with every frame from the address, not with frames to it', () => {
    const { lcore } = start({ ageing: 10 })
    lcore.run(0, broadcast(A))
    for (let i = 0; i < 5; i++) {
      lcore.pass(8)
      lcore.run(0, broadcast(A))
    }
    lcore.pass(8)
    assert.deepEqual(lcore.run(1, frame(B, A)).sent, [[0, 0]])
    lcore.pass(3)
    assert.deepEqual(lcore.run(1, frame(B, A)).sent, toAllBut(1))
  })

  test('is not shown as known after its time, even when no burst has swept it', () => {
    const { lcore, program } = start({ ageing: 10 })
    lcore.run(0, broadcast(A))
    lcore.pass(11)
    assert.deepEqual(program.entries(), [])
  })

  test('of a full table takes no burst long, and is complete', () => {
    const { lcore, program } = start({ ageing: 10, tableSize: 1000 })
    for (let i = 0; i < 1000; i++) lcore.run(i % 4, broadcast(station(0x1000 + i)))
    lcore.pass(20)
    let bursts = 0
    for (let before = 1001; program.size > 1 && bursts < 100; bursts++) {
      assert.ok(before - program.size <= 33)
      before = program.size
      lcore.run(0, broadcast(A))
    }
    assert.ok(bursts >= 30)
    assert.equal(program.stats.expired, 1000)
  })
})

describe('ports that come and go', () => {
  test('a port that is not ready gets nothing; its addresses are asked of all', () => {
    const { lcore } = start()
    lcore.run(0, broadcast(A))
    lcore.setReady(0, false)
    assert.deepEqual(lcore.run(1, frame(B, A)).sent, [
      [0, 2],
      [0, 3],
    ])
    lcore.setReady(0, true)
    assert.deepEqual(lcore.run(1, frame(B, A)).sent, [[0, 0]])
  })

  test('addresses of a removed port are forgotten, and not given to the port that takes its id', () => {
    const { lcore, program } = start()
    lcore.run(0, broadcast(A))
    lcore.run(1, broadcast(B))
    lcore.names.delete(0)
    lcore.setReady(0, false)
    lcore.portsChanged()
    assert.deepEqual(
      program.entries().map(({ port }) => port),
      ['b'],
    )
    lcore.names.set(0, 'new')
    lcore.setReady(0, true)
    lcore.portsChanged()
    assert.deepEqual(lcore.run(1, frame(B, A)).sent, toAllBut(1))
  })

  test('even when the removal and the new port are told at once', () => {
    const { lcore } = start()
    lcore.run(0, broadcast(A))
    lcore.names.set(0, 'new')
    lcore.portsChanged()
    assert.deepEqual(lcore.run(1, frame(B, A)).sent, toAllBut(1))
  })

  test('alone, or with no port ready, nothing is sent', () => {
    const lcore = new TestLcore(learningSwitch(), ['only'])
    assert.deepEqual(lcore.run(0, broadcast(A), frame(A, B)).dropped, [0, 1])
  })
})

describe('a full table', () => {
  test('makes room at the cost of the port that fills it', () => {
    const { lcore, program } = start({ tableSize: 64 })
    const quiet = [station(1), station(2), station(3)]
    for (const mac of quiet) lcore.run(1, broadcast(mac))
    for (let i = 0; i < 10_000; i++) lcore.run(0, broadcast(station(0x1000 + i)))
    assert.equal(program.size, 64)
    assert.deepEqual(lcore.run(0, ...quiet.map((mac) => frame(station(0x1000 + 9999), mac))).sent, [
      [0, 1],
      [1, 1],
      [2, 1],
    ])
    // The newest are kept.
    assert.deepEqual(lcore.run(1, frame(quiet[0] as number, station(0x1000 + 9990))).sent, [[0, 0]])
  })

  test('takes from a port that has its share, even if another has more', () => {
    const { lcore, program } = start({ tableSize: 64 })
    const count = (name: string) => program.entries().filter(({ port }) => port === name).length
    for (let i = 0; i < 36; i++) lcore.run(0, broadcast(station(0x1000 + i)))
    for (let i = 0; i < 22; i++) lcore.run(1, broadcast(station(0x2000 + i)))
    for (let i = 0; i < 6; i++) lcore.run(2, broadcast(station(0x3000 + i)))
    lcore.run(1, broadcast(A))
    assert.deepEqual([count('a'), count('b'), count('c')], [36, 22, 6])
    lcore.run(2, broadcast(B))
    assert.deepEqual([count('a'), count('b'), count('c')], [35, 22, 7])
  })

  test('has room for a port with less than its share', () => {
    const { lcore, program } = start({ tableSize: 64 })
    for (let i = 0; i < 1000; i++) lcore.run(0, broadcast(station(0x1000 + i)))
    for (let i = 0; i < 32; i++) lcore.run(1, broadcast(station(i)))
    const ports = program.entries().map(({ port }) => port)
    assert.equal(ports.filter((port) => port === 'b').length, 32)
    assert.equal(ports.length, 64)
  })
})

describe('a shared table', () => {
  test('serves several lcores', () => {
    const table = sharedMacTable(100)
    const [one, other] = [start({ table }), start({ table })]
    one.lcore.run(0, broadcast(A))
    assert.deepEqual(other.lcore.run(1, frame(B, A)).sent, [[0, 0]])
    assert.equal(one.program.size, 2)
    assert.equal(one.program.stats.limit, 100)
  })

  test('outlives its program, but not the ports in it', () => {
    const table = sharedMacTable()
    const before = start({ table })
    before.lcore.run(0, broadcast(A))
    before.lcore.run(3, broadcast(B))
    const program = learningSwitch({ table, ageing: 100 })
    const after = new TestLcore(program, ['a', 'b', 'c'])
    assert.deepEqual(
      program.entries().map(({ mac }) => mac),
      [formatMac(A)],
    )
    assert.deepEqual(after.run(1, frame(C, A)).sent, [[0, 0]])
    assert.deepEqual(after.run(1, frame(C, B)).sent, [
      [0, 0],
      [0, 2],
    ])
  })

  test('whose lock was left behind is emptied and used again', () => {
    const table = sharedMacTable()
    const { lcore, program } = start({ table })
    lcore.run(0, broadcast(A))
    new Int32Array(table)[0] = 12345
    assert.deepEqual(lcore.run(1, frame(B, A)).sent, [[0, 0]])
    assert.equal(program.size, 1)
    lcore.pass(1)
    lcore.run(1, frame(B, A))
    assert.equal(program.size, 1)
    lcore.pass(2)
    lcore.run(1, frame(B, A))
    assert.deepEqual(
      program.entries().map(({ mac }) => mac),
      [formatMac(B)],
    )
    assert.deepEqual(lcore.run(0, frame(A, B)).sent, [[0, 1]])
  })

  test('whose lock was left behind can be flushed', () => {
    const table = sharedMacTable()
    const { lcore, program } = start({ table })
    lcore.run(0, broadcast(A))
    new Int32Array(table)[0] = 12345
    program.flush()
    assert.equal(program.size, 0)
    lcore.run(0, broadcast(A))
    assert.equal(program.size, 1)
  })

  test('is what sharedMacTable made, nothing else', () => {
    assert.throws(
      () => start({ table: new SharedArrayBuffer(1 << 20) }),
      /does not hold a MAC table/,
    )
    assert.throws(
      () => start({ table: new ArrayBuffer(8) as never }),
      /give what sharedMacTable returned/,
    )
    assert.throws(() => sharedMacTable(3), /tableSize = 3 is less than 16/)
  })
})

describe('options', () => {
  test('come to the module as its data', () => {
    const context = { ports: { ids: new Map(), names: new Map() }, lcore: 0 }
    assert.equal(makeLearningSwitch({ ...context, data: { tableSize: 99 } }).stats.limit, 99)
    assert.equal(makeLearningSwitch({ ...context, data: undefined }).stats.limit, 8192)
  })

  test('are checked', () => {
    const given = { ageing: 0, tablesize: 5, onMove: 'x', forwardBpdu: 1 }
    assert.throws(
      () => learningSwitch(given as never),
      (error) => error instanceof ConfigError && error.problems.length === 4,
    )
  })

  test('unknown messages get the list of the known', () => {
    assert.throws(
      () => learningSwitch().message({ type: 'size' }),
      /learning-switch answers .*entries.*flush.*stats/,
    )
  })
})
