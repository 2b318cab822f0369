import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BurstWord, DROP } from '../../../src/burst/burst.js'
import { buildEthernet } from '../../../src/headers/build.js'
import { BROADCAST_MAC, formatMac, parseMac } from '../../../src/headers/mac.js'
import { SEVERAL } from '../../../src/switch/bridge/bridge.js'
import {
  bridgeCounters,
  bridgePortCounters,
  flushMacs,
  macEntries,
  NoticeReader,
  newBridgeMemory,
  resetBridgePort,
} from '../../../src/switch/bridge/index.js'
import { Random, seeds } from '../../headers/random.js'
import { broadcast, frame, station } from '../../programs/frames.js'
import { attached } from '../images.js'
import { BridgeLcore } from './bridge-lcore.js'

const [A, B, C] = [station(0xa), station(0xb), station(0xc)]
const [D, E, F] = [station(0xd), station(0xe), station(0xf)]
const three = { a: attached(), b: attached(), c: attached() }
const names = new Map(Object.keys(three).map((name, id) => [id, name]))
const none = { broadcast: undefined, multicast: undefined, unknownUnicast: undefined }

function to(mac: string, source = A): Uint8Array {
  return buildEthernet({ source, destination: parseMac(mac), type: 0x88b5, minLength: 60 })
}

describe('the only verdict of a burst', () => {
  const known = () => {
    const access = attached({ tag: 7 })
    const loopGuard = { moves: 1, withinMs: 1000, holdMs: 5000 }
    const lcore = new BridgeLcore({ ...three, d: access, e: access }, { loopGuard })
    for (const [port, source] of [A, B, C, D, E].entries()) lcore.run(port, broadcast(source))
    return lcore
  }
  const tagged = buildEthernet({ source: A, destination: B, vlans: [0], type: 0x88b5 })
  const ofFive = buildEthernet({ source: D, destination: E, vlans: [5], type: 0x88b5 })
  const cases: [name: string, expected: number, frames: Uint8Array[], port?: number][] = [
    ['is the port that all go to', 1, [frame(A, B), frame(A, B)]],
    ['is the port where they differ in their sources', 2, [frame(A, C)]],
    ['is to drop them', DROP, [frame(B, A), frame(B, A)]],
    ['is none where they go to two', SEVERAL, [frame(A, B), frame(A, C), frame(A, B)]],
    [
      'is none where one is too short at first',
      SEVERAL,
      [frame(A, B).subarray(0, 13), frame(A, B)],
    ],
    ['is none where one is too short at last', SEVERAL, [frame(A, B), frame(A, B).subarray(0, 13)]],
    ['is none where all are too short', SEVERAL, [frame(A, B).subarray(0, 13)]],
    ['is none where they are flooded', SEVERAL, [broadcast(A), broadcast(A)]],
    ['is none where one is flooded', SEVERAL, [frame(A, B), broadcast(A)]],
    ['is none where they lose a tag', SEVERAL, [tagged, tagged]],
    ['is the port in their VLAN', 4, [frame(D, E), frame(D, E)], 3],
    ['is none where the first is of another VLAN', SEVERAL, [ofFive, frame(D, E)], 3],
    ['is none where the last is of another VLAN', SEVERAL, [frame(D, E), ofFive], 3],
    ['is none where all are of another VLAN', SEVERAL, [ofFive], 3],
  ]
  for (const [name, expected, frames, port = 0] of cases) {
    test(name, () => {
      const lcore = known()
      lcore.run(port, ...frames)
      assert.equal(lcore.bridge.onlyVerdict, expected)
    })
  }

  test('is none where the address of the first is held on another port', () => {
    const lcore = known()
    for (let n = 0; n < 10; n++) lcore.run(n & 1, broadcast(A))
    const away = [0, 1].find((port) => lcore.run(port, frame(A, C)).length === 0) as number
    lcore.run(away, frame(A, C), frame(F, C))
    assert.equal(lcore.flow.sent().length, 1)
    assert.equal(lcore.bridge.onlyVerdict, SEVERAL)
  })

  for (const seed of seeds()) {
    test(`is that of all frames, which are as they came: seed ${seed}`, () => {
      const random = new Random(seed)
      const lcore = known()
      const some = [...[A, B, C].flatMap((one) => [frame(A, one), frame(B, one)]), broadcast(A)]
      const others = [tagged, frame(A, B).subarray(0, 13)]
      let single = 0
      for (let n = 0; n < 5000; n++) {
        const usual = random.pick(some)
        const given = Array.from({ length: 1 + random.below(6) }, () =>
          random.below(8) > 0 ? usual : random.pick([...some, ...others]),
        )
        lcore.run(random.below(4), ...given)
        lcore.flow.pass(random.below(3))
        const { onlyVerdict } = lcore.bridge
        if (onlyVerdict === SEVERAL) continue
        single++
        const { outPort, words, length } = lcore.flow.memory
        assert.equal(words[BurstWord.total], given.length)
        assert.deepEqual(
          given.map((_, i) => [outPort[i], length[i]]),
          given.map((one) => [onlyVerdict, one.length]),
        )
        assert.deepEqual(lcore.flow.copies(), [])
      }
      assert.ok(single > 500)
    })
  }
})

describe('learning', () => {
  test('what is known goes to its port, the rest to all, nothing back', () => {
    const lcore = new BridgeLcore(three)
    assert.deepEqual(lcore.reaches(0, frame(A, B)), [1, 2])
    assert.deepEqual(lcore.reaches(1, frame(B, A)), [0])
    assert.deepEqual(lcore.reaches(0, frame(C, A)), [])
    assert.deepEqual(lcore.reaches(0, broadcast(A)), [1, 2])
    lcore.setReady(1, false)
    assert.deepEqual(lcore.reaches(0, frame(A, B)), [2])
    assert.deepEqual(lcore.reaches(2, frame(C, B)), [0])
  })

  test('an address learnt in a burst is known to the rest of it', () => {
    const lcore = new BridgeLcore(three)
    lcore.run(1, broadcast(B))
    const sent = lcore.run(0, frame(A, B), frame(B, A), frame(A, B))
    assert.deepEqual(
      sent.map((line) => Number.parseInt(line, 10)),
      [1],
    )
  })

  test('an address learnt in a burst is known to frames sent there, its own among them', () => {
    const lcore = new BridgeLcore(three)
    lcore.run(1, broadcast(B))
    const sent = lcore.run(0, frame(A, B), frame(B, B), frame(A, B))
    assert.deepEqual(
      sent.map((line) => Number.parseInt(line, 10)),
      [1],
    )
  })

  test('addresses and counts are seen by the thread that controls, and flushed by it', () => {
    const lcore = new BridgeLcore({ ...three, b: attached({ tag: 7 }) })
    lcore.run(0, broadcast(A))
    lcore.run(1, broadcast(B))
    const age = (mac: string) =>
      macEntries(lcore.memory, names, 300).find((entry) => entry.mac === mac)?.age as number
    assert.ok(age(formatMac(A)) <= 2)
    assert.deepEqual(
      macEntries(lcore.memory, names, 300)
        .map(({ age: _, ...entry }) => entry)
        .sort((a, b) => a.vlan - b.vlan),
      [
        { port: 'a', portId: 0, vlan: 0, mac: formatMac(A), static: false },
        { port: 'b', portId: 1, vlan: 7, mac: formatMac(B), static: false },
      ],
    )
    // The clock of the bursts is ahead by ten seconds now, and with it that of the thread that controls.
    lcore.flow.pass(10)
    lcore.run(1, broadcast(B))
    assert.ok(age(formatMac(A)) >= 10 && age(formatMac(B)) <= 2)
    assert.equal(macEntries(lcore.memory, names, 5).length, 1)
    assert.equal(flushMacs(lcore.memory), 2)
    assert.deepEqual(macEntries(lcore.memory, names, 300), [])
    const { size, limit, learned } = bridgeCounters(lcore.memory)
    assert.deepEqual({ size, limit, learned }, { size: 0, limit: 256, learned: 2 })
  })

  test('ages', () => {
    const lcore = new BridgeLcore(three, { ageing: 10 })
    lcore.run(0, broadcast(A))
    lcore.flow.pass(10)
    assert.deepEqual(lcore.reaches(1, frame(B, A)), [0])
    lcore.flow.pass(1)
    assert.deepEqual(lcore.reaches(1, frame(B, A)), [0, 2])
    assert.equal(bridgeCounters(lcore.memory).expired, 1)
  })

  test('a full table makes room at the cost of the port that fills it', () => {
    const lcore = new BridgeLcore(three, {}, newBridgeMemory(64))
    lcore.run(1, broadcast(B))
    for (let i = 0; i < 1000; i++) lcore.run(0, broadcast(station(0x1000 + i)))
    assert.deepEqual(lcore.reaches(2, frame(C, B)), [1])
    assert.ok(bridgeCounters(lcore.memory).evictions > 900)
  })

  test("reserved addresses are the bridge's own, unless it is told to forward them", () => {
    const lcore = new BridgeLcore(three)
    const reserved = [
      ...['01:80:c2:00:00:00', '01:80:c2:00:00:0f'],
      // Those that Open vSwitch names besides.
      ...['00:e0:2b:00:00:00', '00:e0:2b:00:00:04', '00:e0:2b:00:00:06', '01:00:0c:00:00:00'],
      ...['01:00:0c:cc:cc:c0', '01:00:0c:cc:cc:cf', '01:00:0c:cd:cd:cd'],
    ]
    const others = [
      ...['01:80:c2:00:00:10', '01:80:c2:00:01:00'],
      ...['00:e0:2b:00:00:05', '00:e0:2b:00:01:00', '01:00:0c:00:00:01'],
      ...['01:00:0c:cc:cc:bf', '01:00:0c:cc:cc:d0', '01:00:0c:cd:cd:cc'],
    ]
    for (const mac of reserved) assert.deepEqual(lcore.reaches(0, to(mac)), [], mac)
    for (const mac of others) assert.deepEqual(lcore.reaches(0, to(mac)), [1, 2], mac)
    lcore.set({ forwardBpdu: true })
    for (const mac of reserved) assert.deepEqual(lcore.reaches(0, to(mac)), [1, 2], mac)
  })
})

describe('ports', () => {
  test('of another bridge, and mirror outputs, get and give nothing', () => {
    const mirrors = [
      {
        name: 'm',
        selectAll: true,
        selectSrcPort: [],
        selectDstPort: [],
        selectVlan: [],
        outputPort: 'c',
        outputVlan: undefined,
        snaplen: undefined,
      },
    ]
    const lcore = new BridgeLcore({ ...three, d: attached() }, { mirrors })
    lcore.attach('d', undefined)
    assert.deepEqual(lcore.reaches(0, broadcast(A)), [1])
    assert.deepEqual(lcore.reaches(2, broadcast(B)), [])
    assert.deepEqual(lcore.reaches(3, broadcast(C)), [])
    assert.equal(bridgeCounters(lcore.memory).size, 1)
    lcore.set({})
    assert.deepEqual(lcore.reaches(0, broadcast(A)), [1, 2])
  })

  test('that go take their addresses with them, also when another has their id at once', () => {
    const lcore = new BridgeLcore(three)
    lcore.run(0, broadcast(A))
    lcore.run(1, broadcast(B))
    lcore.attach('new', attached())
    lcore.setPorts(['new', 'b', 'c'])
    assert.deepEqual(lcore.reaches(1, frame(B, A)), [0, 2])
    assert.deepEqual(lcore.reaches(2, frame(C, B)), [1])
    lcore.setPorts(['new', '', 'c'])
    assert.deepEqual(lcore.reaches(2, frame(C, B)), [0])
  })

  test('that stay keep theirs when settings and other ports change', () => {
    const lcore = new BridgeLcore(three)
    lcore.run(0, broadcast(A))
    lcore.attach('c', attached({ tag: 4 }))
    lcore.set({ ageing: 20 })
    assert.deepEqual(lcore.reaches(1, frame(B, A)), [0])
  })

  test('counters of an id begin anew for another port', () => {
    const lcore = new BridgeLcore({ a: attached({ trunks: [1] }), b: attached() })
    lcore.run(0, broadcast(A), broadcast(A))
    lcore.run(1, broadcast(B))
    assert.equal(bridgePortCounters(lcore.memory, 0).vlan, 2)
    resetBridgePort(lcore.memory, 0)
    assert.deepEqual(bridgePortCounters(lcore.memory, 0), { vlan: 0, storm: 0, loop: 0 })
  })
})

describe('static addresses', () => {
  const staticMacs = [{ mac: formatMac(A), vlan: 0, port: 'a' }]

  test('are known before they speak, and stay where they are', () => {
    const lcore = new BridgeLcore(three, { staticMacs })
    assert.deepEqual(lcore.reaches(1, frame(B, A)), [0])
    for (let i = 0; i < 100; i++) lcore.run(2, broadcast(A))
    lcore.flow.pass(1000)
    assert.deepEqual(lcore.reaches(1, frame(B, A)), [0])
    const { statics, moves, flaps } = bridgeCounters(lcore.memory)
    assert.deepEqual({ statics, moves, flaps }, { statics: 1, moves: 0, flaps: 0 })
    assert.equal(flushMacs(lcore.memory), 1)
    assert.deepEqual(lcore.reaches(1, frame(B, A)), [0])
  })

  test('follow the name of their port', () => {
    const lcore = new BridgeLcore(three, { staticMacs })
    lcore.setPorts(['', 'b', 'c'])
    assert.equal(bridgeCounters(lcore.memory).statics, 0)
    lcore.setPorts(['c', 'b', 'a'])
    assert.deepEqual(lcore.reaches(1, frame(B, A)), [2])
    lcore.set({ staticMacs: [] })
    assert.deepEqual(lcore.reaches(1, frame(B, A)), [0, 2])
  })

  test('are of one VLAN', () => {
    const lcore = new BridgeLcore(three, {
      staticMacs: [{ mac: formatMac(A), vlan: 9, port: 'a' }],
    })
    assert.deepEqual(lcore.reaches(1, frame(B, A)), [0, 2])
  })

  test('come back after a lock that was left behind cost the table its entries', () => {
    const lcore = new BridgeLcore(three, { staticMacs })
    lcore.run(1, broadcast(B))
    // Held by nobody who lives.
    new Int32Array(lcore.memory.macs)[0] = 12345
    flushMacs(lcore.memory)
    lcore.flow.pass(1)
    lcore.run(1, broadcast(B))
    assert.deepEqual(lcore.reaches(1, frame(B, A)), [0])
    assert.equal(bridgeCounters(lcore.memory).statics, 1)
  })
})

describe('the storm limit', () => {
  const flood = (count: number, make: () => Uint8Array) => Array.from({ length: count }, make)

  test("lets through a second's worth, then so many a second, by kind and port", () => {
    const lcore = new BridgeLcore(three, { stormLimit: { ...none, broadcast: 10 } })
    lcore.run(1, broadcast(B))
    assert.equal(lcore.run(0, ...flood(50, () => broadcast(A))).length, 20)
    assert.equal(bridgePortCounters(lcore.memory, 0).storm, 40)
    assert.equal(lcore.run(1, broadcast(B)).length, 2)
    assert.equal(lcore.run(0, to('01:00:5e:00:00:01')).length, 2)
    lcore.flow.pass(0.5)
    assert.equal(lcore.run(0, ...flood(50, () => broadcast(A))).length, 10)
    for (let i = 0; i < 3; i++) {
      lcore.flow.pass(3600)
      assert.equal(lcore.run(0, broadcast(A)).length, 2)
    }
    lcore.flow.pass(0.1)
    assert.equal(lcore.run(0, ...flood(50, () => broadcast(A))).length, 20)
    lcore.set({})
    assert.equal(lcore.run(0, ...flood(50, () => broadcast(A))).length, 100)
  })

  test('has a limit for each kind, and none for what is known', () => {
    const lcore = new BridgeLcore(three, {
      stormLimit: { ...none, multicast: 1, unknownUnicast: 2 },
    })
    lcore.run(1, broadcast(B))
    assert.equal(lcore.run(0, ...flood(9, () => to('01:00:5e:00:00:01'))).length, 2)
    assert.equal(lcore.run(0, ...flood(9, () => frame(A, C))).length, 4)
    assert.equal(lcore.run(0, ...flood(9, () => frame(A, B))).length, 9)
    assert.equal(lcore.run(0, ...flood(9, () => broadcast(A))).length, 18)
  })

  test('is one for all lcores', () => {
    const one = new BridgeLcore(three, { stormLimit: { ...none, broadcast: 10 } })
    const other = new BridgeLcore(three, { stormLimit: { ...none, broadcast: 10 } }, one.memory)
    const sent = one.run(0, ...flood(8, () => broadcast(A)))
    sent.push(...other.run(0, ...flood(8, () => broadcast(A))))
    assert.equal(sent.length, 20)
  })
})

describe('the loop guard', () => {
  const loopGuard = { moves: 3, withinMs: 1000, holdMs: 5000 }

  test('holds an address at its home, drops its frames elsewhere, and tells', () => {
    const lcore = new BridgeLcore(three, { loopGuard })
    const reader = new NoticeReader(lcore.memory)
    for (const port of [0, 1, 0, 1, 0]) lcore.run(port, broadcast(A))
    assert.deepEqual(lcore.run(1, broadcast(A), broadcast(A), broadcast(C)).length, 2)
    assert.deepEqual(bridgePortCounters(lcore.memory, 1).loop, 2)
    lcore.run(2, broadcast(B))
    assert.deepEqual(
      lcore.run(1, frame(A, B), frame(C, B), frame(A, B)).map((line) => Number.parseInt(line, 10)),
      [2],
    )
    assert.deepEqual(lcore.reaches(2, frame(B, A)), [0])
    assert.equal(lcore.run(0, broadcast(A)).length, 2)
    const notices = reader.read().map(({ time: _, ...notice }) => notice)
    const move = (from: number, into: number) => ({
      kind: 'move',
      mac: formatMac(A),
      vlan: 0,
      from,
      to: into,
    })
    assert.deepEqual(
      notices.filter(({ kind }) => kind === 'move'),
      [move(0, 1), move(1, 0), move(0, 1)],
    )
    assert.deepEqual(
      notices.filter(({ kind }) => kind === 'flap'),
      [{ ...move(0, 1), kind: 'flap' }],
    )
    assert.equal(bridgeCounters(lcore.memory).flaps, 1)
    assert.deepEqual(reader.read(), [])
    lcore.flow.pass(6)
    assert.equal(lcore.run(1, broadcast(A)).length, 2)
    assert.deepEqual(lcore.reaches(2, frame(B, A)), [1])
  })

  test('does not let whoever spoofs an address have its owner refused', () => {
    const lcore = new BridgeLcore(three, { loopGuard })
    lcore.run(0, broadcast(A))
    for (let i = 0; i < 100; i++) {
      lcore.run(1, ...Array.from({ length: 8 }, () => broadcast(A)))
      if (i % 5 === 0) assert.equal(lcore.run(0, frame(A, BROADCAST_MAC)).length, 2)
      lcore.flow.pass(0.01)
    }
    assert.equal(bridgePortCounters(lcore.memory, 0).loop, 0)
    assert.ok(bridgePortCounters(lcore.memory, 1).loop > 700)
    assert.deepEqual(lcore.reaches(2, frame(B, A)), [0])
  })
})

describe('notices', () => {
  test('that find no room are counted, and do not take the room of flaps', () => {
    const lcore = new BridgeLcore(three, { loopGuard: { moves: 1000, withinMs: 1, holdMs: 1 } })
    const reader = new NoticeReader(lcore.memory)
    for (let i = 0; i <= 300; i++) lcore.run(i % 2, broadcast(A))
    lcore.set({ loopGuard: { moves: 1, withinMs: 1000, holdMs: 1000 } })
    for (let i = 0; i < 4; i++) lcore.run(i % 2, broadcast(B))
    const notices = reader.read()
    assert.equal(notices.filter(({ kind }) => kind === 'move').length, 256)
    assert.ok(notices.some(({ kind, mac }) => kind === 'flap' && mac === formatMac(B)))
    assert.ok(reader.lost >= 44)
    assert.equal(bridgeCounters(lcore.memory).lostNotices, reader.lost)
    lcore.run(1, broadcast(C))
    lcore.run(2, broadcast(C))
    assert.deepEqual(
      reader.read().map(({ kind, from, to: into }) => [kind, from, into]),
      [['move', 1, 2]],
    )
  })
})
