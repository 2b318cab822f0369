import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Burst, BurstWord, DROP, MAX_PORTS } from '../../../src/burst/burst.js'
import { ExpectedSources } from '../../../src/burst/expected-sources.js'
import { buildUdp } from '../../../src/headers/build.js'
import { vlan } from '../../../src/headers/index.js'
import {
  Guards,
  newGuardMemory,
  newMirrorCounters,
  readGuardCounters,
  readMirrorCounters,
  resetGuardPort,
} from '../../../src/switch/guards/guards.js'
import type { AttachmentSpec, MirrorSpec } from '../../../src/switch/spec.js'
import { Random, seeds } from '../../headers/random.js'
import { MadeUpBurst } from '../../support/made-up-burst.js'
import { attached } from '../images.js'

const PORTS = 6
const NONE = { ingressPoliced: 0, portSecurity: 0, egressPoliced: 0 }

const MAC = 'fa:16:3e:00:00:01'
const frame = (number: number, { source = MAC, vlans = [] as number[], bytes = 60 } = {}) =>
  buildUdp({
    source,
    destination: 'fa:16:3e:00:00:02',
    vlans,
    sourceIp: '10.0.0.1',
    destinationIp: '10.0.0.2',
    sourcePort: number,
    destinationPort: 9,
    minLength: bytes,
  })
const frames = (count: number, bytes = 60) =>
  Array.from({ length: count }, (_, i) => frame(i, { bytes }))

const mirror = (some: Partial<MirrorSpec>): MirrorSpec => ({
  name: 'm',
  selectAll: false,
  selectSrcPort: [],
  selectDstPort: [],
  selectVlan: [],
  outputPort: 'p5',
  outputVlan: undefined,
  snaplen: undefined,
  ...some,
})

/** Guards around a decision, on an lcore with the ports p0 to p5. */
class Bench {
  readonly memory = newGuardMemory()
  readonly guards = new Guards(this.memory)
  readonly mirrorCounters = new Map(['m', 'n'].map((name) => [name, newMirrorCounters()] as const))
  readonly lcore = new MadeUpBurst(PORTS)

  constructor(ports: Record<number, Partial<AttachmentSpec>>, mirrors: MirrorSpec[] = []) {
    this.configure(ports, mirrors)
  }

  configure(ports: Record<number, Partial<AttachmentSpec>>, mirrors: MirrorSpec[] = []): void {
    const ids = Array.from({ length: PORTS }, (_, id) => id)
    this.guards.configure(
      new Map(ids.map((id) => [id, attached(ports[id])])),
      new Map(ids.map((id) => [`p${id}`, id])),
      mirrors,
      this.mirrorCounters,
    )
  }

  mirrored(name: string) {
    return readMirrorCounters(this.mirrorCounters.get(name) as SharedArrayBuffer)
  }

  /** What leaves, as `port<frame` with the number of the frame, and its tag if it has one. */
  run(inPort: number, given: Uint8Array[], decide: (burst: Burst) => void): string[] {
    const burst = this.lcore.receive(inPort, given)
    const passed = this.guards.ingress(burst)
    if (passed.count > 0) decide(passed)
    this.guards.egress(burst)
    const sent = this.lcore.sent().map((text) => {
      const [port, hex = ''] = text.split(':')
      const bytes = Buffer.from(hex, 'hex')
      const isTagged = bytes.readUInt16BE(12) === 0x8100
      const number = bytes.readUInt16BE(isTagged ? 38 : 34)
      return `${port}<${number}${isTagged ? `@${bytes.readUInt16BE(14)}` : ''}`
    })
    return sent.sort()
  }

  /** What left with the last run, as `port:bytes`. */
  lengths(): string[] {
    const of = ([port, hex = '']: string[]) => `${port}:${hex.length / 2}`
    return this.lcore
      .sent()
      .map((text) => of(text.split(':')))
      .sort()
  }

  drops(port: number) {
    return readGuardCounters(this.memory, port)
  }
}

const all =
  (port: number) =>
  ({ count, outPort }: Burst) =>
    outPort.fill(port, 0, count)
const range = (port: number, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `${port}<${from + i}`)

describe('guards', () => {
  test('are inactive where nothing is configured', () => {
    const bench = new Bench({})
    assert.equal(bench.guards.active, false)
    bench.configure({ 2: { ingressPolicingRate: 1 } })
    assert.equal(bench.guards.active, true)
    bench.configure({})
    assert.equal(bench.guards.active, false)
  })

  test('hand on the burst itself where nothing is refused', () => {
    const bench = new Bench({
      0: { ingressPolicingRate: 1000, portSecurity: [{ mac: MAC, ips: [] }] },
    })
    for (const port of [0, 1]) {
      const burst = bench.lcore.receive(port, frames(3))
      assert.equal(bench.guards.ingress(burst), burst)
      bench.guards.egress(burst)
    }
    assert.deepEqual(bench.drops(0), NONE)
  })

  test('leave the settings before in force when new ones cannot be', () => {
    const bench = new Bench({ 0: { portSecurity: [] } })
    const bad = [{ mac: MAC, ips: ['10.0.0'] }]
    assert.throws(() => bench.configure({ 0: { portSecurity: bad } }), RangeError)
    assert.throws(
      () =>
        bench.configure(
          {},
          Array.from({ length: 33 }, () => mirror({})),
        ),
      /mirrors has 33 mirrors; give at most 32/,
    )
    assert.deepEqual(bench.run(0, frames(2), all(1)), [])
    assert.deepEqual(bench.drops(0), { ...NONE, portSecurity: 2 })
  })
})

describe('port security', () => {
  test('hands on the frames that are allowed, by their places', () => {
    const bench = new Bench({ 0: { portSecurity: [{ mac: MAC, ips: ['10.0.0.1'] }] } })
    const spoofed = { source: 'fa:16:3e:00:00:03' }
    const given = [frame(0), frame(1, spoofed), frame(2), frame(3, spoofed), frame(4)]
    const sent = bench.run(0, given, (burst) => {
      burst.outPort[0] = 1
      burst.outPort[1] = 2
      burst.outPort[2] = 3
      vlan.push(burst, 1, 7)
      burst.copyTo(2, 4)
    })
    assert.deepEqual(sent, ['1<0', '2<2@7', '3<4', '4<4'])
    assert.deepEqual(bench.drops(0), { ...NONE, portSecurity: 2 })
    assert.deepEqual(bench.run(1, given, all(2)), range(2, 0, 5))
  })
})

describe('what the lcore says of plain frames', () => {
  const secured = { 0: { portSecurity: [{ mac: MAC, ips: ['10.0.0.1'] }] } }
  const SOURCE_WORDS = ExpectedSources.WORDS / MAX_PORTS
  const spoofed = [frame(5, { source: 'fa:16:3e:00:00:03' }), frame(6)]

  /** Guards that know who sends from port 0, and the tag that they gave the lcore with it. */
  function known() {
    const bench = new Bench(secured)
    const { expected, words } = bench.lcore.memory
    bench.run(0, frames(3), all(1))
    const tag = expected[SOURCE_WORDS - 1] as number
    const say = (count: number, of = tag) => {
      words[BurstWord.expected] = count
      words[BurstWord.expectedTag] = of
    }
    return { bench, expected, tag, say }
  }

  test('is what port security asked it to look for, once it saw who sends', () => {
    const { expected, tag } = known()
    const source = new DataView(expected.buffer, 0, 4 * SOURCE_WORDS)
    const bytes = Buffer.from(source.buffer, 0, 4 * SOURCE_WORDS)
    assert.notEqual(tag, 0)
    assert.equal(bytes.toString('hex', 0, 16), 'fa163e00000108000a000001ffffffff')
    assert.deepEqual([source.getUint16(56), source.getUint16(58)], [68, 546])
    assert.ok(expected.subarray(SOURCE_WORDS).every((word) => word === 0))
  })

  test('is taken for frames of the first on, and the others are looked at', () => {
    const { bench, say } = known()
    say(1)
    assert.deepEqual(bench.run(0, [...spoofed, ...spoofed], all(1)), ['1<5', '1<6', '1<6'])
    say(2)
    assert.deepEqual(bench.run(0, spoofed, all(1)), ['1<5', '1<6'])
  })

  test('is not taken where it was asked by somebody else, or for the rules before', () => {
    const { bench, tag, say } = known()
    for (const other of [0, tag + 1]) {
      say(2, other)
      assert.deepEqual(bench.run(0, spoofed, all(1)), ['1<6'])
    }
    bench.configure(secured)
    say(2)
    assert.deepEqual(bench.run(0, spoofed, all(1)), ['1<6'])
  })
})

describe('ingress policing', () => {
  test('takes kilobits, of frames without their Ethernet header', () => {
    // 2 kbit are 250 bytes: five frames of 46.
    const bench = new Bench({ 0: { ingressPolicingRate: 8, ingressPolicingBurst: 2 } })
    assert.deepEqual(bench.run(0, frames(8), all(1)), range(1, 0, 5))
    assert.deepEqual(bench.drops(0), { ...NONE, ingressPoliced: 3 })
    // A kilobyte a second.
    bench.lcore.pass(0.1)
    assert.deepEqual(bench.run(0, frames(8), all(1)), range(1, 0, 2))
    assert.deepEqual(bench.run(1, frames(8), all(2)), range(2, 0, 8))
    assert.deepEqual(bench.drops(0), { ...NONE, ingressPoliced: 9 })
    assert.deepEqual(bench.drops(1), NONE)
  })

  test('counts no bytes of frames without a whole header', () => {
    // 250 bytes: five of six frames of 46.
    const bench = new Bench({ 0: { ingressPolicer: { cir: 1000, cbs: 250 } } })
    const short = Array.from({ length: 10 }, () => new Uint8Array(4))
    bench.run(0, [...short, ...frames(6)], () => {})
    assert.deepEqual(bench.drops(0), { ...NONE, ingressPoliced: 1 })
  })

  test('has a burst of 8000 kilobits where none is given', () => {
    const bench = new Bench({ 0: { ingressPolicingRate: 1 } })
    let passed = 0
    for (let i = 0; i < 100; i++) passed += bench.run(0, frames(32, 1014), all(1)).length
    assert.equal(passed, 1000)
  })

  test('takes thousands of frames', () => {
    const bench = new Bench({ 0: { ingressPolicingKpktsRate: 1, ingressPolicingKpktsBurst: 1 } })
    let passed = 0
    for (let i = 0; i < 50; i++) passed += bench.run(0, frames(32), all(1)).length
    assert.equal(passed, 1000)
    bench.lcore.pass(0.01)
    assert.deepEqual(bench.run(0, frames(32), all(1)), range(1, 0, 10))
    assert.deepEqual(bench.drops(0), { ...NONE, ingressPoliced: 622 })
    const other = new Bench({ 0: { ingressPolicingKpktsRate: 1 } })
    for (passed = 0; passed < 16_000; ) passed += other.run(0, frames(32), all(1)).length
    assert.equal(other.run(0, frames(32), all(1)).length, 0)
  })

  test('takes what is within all of its limits, and of a refused frame no tokens', () => {
    // 250 bytes are five frames of 46; eight frames in all.
    const bench = new Bench({
      0: {
        ingressPolicer: { cir: 1000, cbs: 250 },
        ingressPacketPolicer: { cir: 1, cbs: 8 },
      },
    })
    assert.deepEqual(bench.run(0, frames(8), all(1)), range(1, 0, 5))
    bench.lcore.pass(0.25)
    // Five more would be within the bytes, three are within the frames.
    assert.deepEqual(bench.run(0, frames(8), all(1)), range(1, 0, 3))
    assert.deepEqual(bench.drops(0), { ...NONE, ingressPoliced: 8 })
  })

  test('lets green and yellow pass', () => {
    const bytes = (count: number) => 46 * count
    for (const ingressPolicer of [
      { cir: 1, cbs: bytes(2), ebs: bytes(3) },
      { cir: 1, cbs: bytes(2), eir: 1, ebs: bytes(3) },
      { cir: 1, cbs: bytes(2), pir: 1, pbs: bytes(5) },
    ]) {
      const bench = new Bench({ 0: { ingressPolicer } })
      assert.deepEqual(bench.run(0, frames(8), all(1)), range(1, 0, 5))
    }
  })

  test('is shared by the lcores', () => {
    const bench = new Bench({ 0: { ingressPolicingRate: 8, ingressPolicingBurst: 2 } })
    const other = new Guards(bench.memory)
    const ports = new Map([[0, attached({ ingressPolicingRate: 8, ingressPolicingBurst: 2 })]])
    other.configure(ports, new Map(), [])
    assert.equal(bench.run(0, frames(4), all(1)).length, 4)
    assert.equal(other.ingress(new MadeUpBurst(PORTS).receive(0, frames(4))).count, 1)
    assert.deepEqual(bench.drops(0), { ...NONE, ingressPoliced: 3 })
    resetGuardPort(bench.memory, 0)
    assert.deepEqual(bench.drops(0), NONE)
    assert.equal(bench.run(0, frames(5), all(1)).length, 5)
  })
})

describe('an egress policer', () => {
  const policed = { 1: { egressPolicer: { cir: 1000, cbs: 250 } } }

  test('takes bytes, of frames as they leave, without their Ethernet header', () => {
    const bench = new Bench(policed)
    assert.deepEqual(bench.run(0, frames(8), all(1)), range(1, 0, 5))
    assert.deepEqual(bench.run(0, frames(8), all(2)), range(2, 0, 8))
    assert.deepEqual(bench.drops(1), { ...NONE, egressPoliced: 3 })
    bench.lcore.pass(10)
    const tagged = bench.run(0, frames(8), (burst) => {
      for (let i = 0; i < 8; i++) for (let n = 0; n < 10; n++) vlan.push(burst, i, 1)
      all(1)(burst)
    })
    // 86 bytes each.
    assert.equal(tagged.length, 2)
  })

  test('takes frames', () => {
    const bench = new Bench({ 1: { egressPacketPolicer: { cir: 100, cbs: 4 } } })
    assert.deepEqual(bench.run(0, frames(8, 1000), all(1)), range(1, 0, 4))
    bench.lcore.pass(0.03)
    assert.deepEqual(bench.run(0, frames(8), all(1)), range(1, 0, 3))
    assert.deepEqual(bench.drops(1), { ...NONE, egressPoliced: 9 })
  })

  test('takes further receivers, and leaves the others', () => {
    const bench = new Bench(policed)
    const flood = (burst: Burst) => {
      all(2)(burst)
      for (let i = 0; i < burst.count; i++) for (const port of [1, 3]) burst.copyTo(i, port)
    }
    assert.deepEqual(bench.run(0, frames(8), flood), [
      ...range(1, 0, 5),
      ...range(2, 0, 8),
      ...range(3, 0, 8),
    ])
    assert.deepEqual(bench.drops(1), { ...NONE, egressPoliced: 3 })
  })

  for (const isSub of [false, true]) {
    const name = isSub ? 'of a part of the burst ' : ''
    test(`takes copies ${name}that leave early because there are too many`, () => {
      const refused = isSub ? { 0: { portSecurity: [{ mac: MAC, ips: [] }] } } : {}
      const bench = new Bench({ ...policed, ...refused })
      const given = isSub ? [...frames(8), frame(99, { source: '02:00:00:00:00:01' })] : frames(8)
      const sent = bench.run(0, given, (burst) => {
        for (let i = 0; i < 2000; i++) burst.copyTo(i % 8, i % 2 === 0 ? 1 : 2)
      })
      assert.equal(sent.filter((text) => text.startsWith('1<')).length, 5)
      assert.equal(sent.filter((text) => text.startsWith('2<')).length, 1000)
      assert.deepEqual(bench.drops(1), { ...NONE, egressPoliced: 995 })
    })
  }

  test('takes frames that a program made while there was nothing to receive', () => {
    const bench = new Bench(policed)
    const burst = bench.lcore.receive(0, [])
    assert.equal(bench.guards.ingress(burst), burst)
    for (let i = 0; i < 8; i++) burst.outPort[burst.create(60)] = 1
    bench.guards.egress(burst)
    assert.equal(bench.lcore.sent().length, 5)
  })

  test('does not mind verdicts and copies that name no port and no frame', () => {
    const bench = new Bench(policed)
    const burst = bench.lcore.receive(0, frames(4))
    bench.guards.ingress(burst)
    burst.outPort.set([-7, 1024, 2 ** 31 - 1, 1])
    burst.copyTo(500, 1)
    burst.copyTo(2 ** 32 - 1, 1)
    burst.copyTo(0, -1)
    bench.guards.egress(burst)
    // They are for the datapath to count.
    assert.deepEqual([...burst.outPort.subarray(0, 4)], [-7, 1024, 2 ** 31 - 1, 1])
    assert.equal(burst.copyCount, 3)
    assert.deepEqual(bench.drops(1), NONE)
  })
})

describe('policers take of a burst what they take of its frames one by one', () => {
  // All of it counts in whole units of time, so that nothing is rounded.
  const rates = { cir: 1000, cbs: 2000 }
  const policed: Record<number, Partial<AttachmentSpec>> = {
    0: { ingressPolicer: { cir: 4000, cbs: 4000, pir: 5000, pbs: 5000 } },
    1: { egressPolicer: rates, egressPacketPolicer: { cir: 100, cbs: 20 } },
    2: { egressPolicer: { ...rates, eir: 500, ebs: 1000 } },
    3: { egressPacketPolicer: { cir: 50, cbs: 10 } },
  }
  for (const seed of seeds()) {
    test(`seed ${seed}`, () => {
      const random = new Random(seed)
      const [whole, single] = [new Bench(policed), new Bench(policed)]
      for (let n = 0; n < 2000; n++) {
        const count = 1 + random.below(12)
        const usual = random.below(5)
        const ports = Array.from({ length: count }, () =>
          random.below(8) === 0 ? random.below(6) - 1 : usual,
        )
        const given = ports.map((_, i) => frame(i, { bytes: 60 + random.below(200) }))
        const expected = given.flatMap((one, i) => single.run(0, [one], all(ports[i] as number)))
        const sent = whole.run(0, given, ({ count: left, outPort, view, offset }) => {
          // Ports go with the frames that are left.
          for (let i = 0; i < left; i++)
            outPort[i] = ports[view.getUint16((offset[i] as number) + 34)] as number
        })
        assert.deepEqual(sent, expected.sort())
        const seconds = random.below(40) / 100
        for (const { lcore } of [whole, single]) lcore.pass(seconds)
      }
      for (const port of [0, 1, 2, 3]) assert.deepEqual(whole.drops(port), single.drops(port))
      assert.ok(whole.drops(0).ingressPoliced > 0 && whole.drops(1).egressPoliced > 0)
    })
  }
})

describe('a mirror', () => {
  const forward: Record<number, number> = { 0: 1, 1: 0, 2: 3, 3: 2, 4: 0 }
  const decide = (burst: Burst) => all(forward[burst.inPort] ?? DROP)(burst)
  const cases: [string, MirrorSpec[], Record<number, string[]>][] = [
    ['of nothing', [mirror({ selectVlan: [0] })], { 0: ['1<0'], 2: ['3<0'] }],
    [
      'of what a port sends us',
      [mirror({ selectSrcPort: ['p0'] })],
      { 0: ['1<0', '5<0'], 1: ['0<0'], 2: ['3<0'], 4: ['0<0'] },
    ],
    [
      'of what we send to a port',
      [mirror({ selectDstPort: ['p0'] })],
      { 0: ['1<0'], 1: ['0<0', '5<0'], 4: ['0<0', '5<0'] },
    ],
    [
      'of two ports, both of which a frame passes',
      [mirror({ selectSrcPort: ['p0', 'p1'], selectDstPort: ['p0', 'p1'] })],
      { 0: ['1<0', '5<0'], 1: ['0<0', '5<0'], 2: ['3<0'] },
    ],
    [
      'of all',
      [mirror({ selectAll: true })],
      { 0: ['1<0', '5<0'], 1: ['0<0', '5<0'], 2: ['3<0', '5<0'], 5: [] },
    ],
    [
      'and another',
      [mirror({ selectSrcPort: ['p0'] }), mirror({ selectDstPort: ['p1'], outputPort: 'p4' })],
      { 0: ['1<0', '4<0', '5<0'], 1: ['0<0'], 4: [], 5: [] },
    ],
    ['without its port', [mirror({ selectAll: true, outputPort: 'p77' })], { 0: ['1<0'], 5: [] }],
    [
      'of ports that are not there',
      [mirror({ selectSrcPort: ['p77', 'p0'] })],
      { 0: ['1<0', '5<0'], 1: ['0<0'] },
    ],
  ]
  for (const [name, mirrors, expected] of cases) {
    test(name, () => {
      const bench = new Bench({}, mirrors)
      for (const [port, sent] of Object.entries(expected)) {
        assert.deepEqual(bench.run(Number(port), [frame(0)], decide), sent, `from p${port}`)
      }
    })
  }

  test('of the VLANs of tagged frames, and of ports for untagged ones', () => {
    const mirrors = [mirror({ selectAll: true, selectVlan: [10, 0] })]
    const access = { vlanMode: 'access', tag: 10 } as const
    const native = { vlanMode: 'native-untagged', tag: 11 } as const
    const bench = new Bench({ 0: access, 1: native }, mirrors)
    const given = [frame(0), frame(1, { vlans: [10] }), frame(2, { vlans: [11] })]
    const mirrored = (port: number, to: number) =>
      bench.run(port, given, all(to)).filter((text) => text.startsWith('5'))
    assert.deepEqual(mirrored(0, 1), ['5<0', '5<1@10'])
    // As it is sent: untagged, so of the VLAN 10 of p0.
    assert.deepEqual(mirrored(1, 0), ['5<0', '5<1@10'])
    assert.deepEqual(mirrored(1, 1), ['5<1@10'])
    assert.deepEqual(mirrored(2, 3), ['5<0', '5<1@10'])
  })

  test('gets frames as they were received, or as they are sent', () => {
    const rewrite = (burst: Burst) => {
      vlan.push(burst, 0, 33)
      burst.outPort[0] = 1
    }
    const src = new Bench({}, [mirror({ selectSrcPort: ['p0'] })])
    assert.deepEqual(src.run(0, [frame(0)], rewrite), ['1<0@33', '5<0'])
    const dst = new Bench({}, [mirror({ selectDstPort: ['p1'] })])
    assert.deepEqual(dst.run(0, [frame(0)], rewrite), ['1<0@33', '5<0@33'])
    const both = new Bench({}, [mirror({ selectAll: true })])
    assert.deepEqual(both.run(0, [frame(0)], rewrite), ['1<0@33', '5<0'])
  })

  test('gets a frame once though the program sends a changed duplicate as well', () => {
    const bench = new Bench({}, [mirror({ selectAll: true })])
    const sent = bench.run(0, [frame(0)], (burst) => {
      assert.equal(burst.total, 1)
      burst.outPort[0] = 1
      const other = burst.duplicate(0)
      vlan.push(burst, other, 4)
      burst.outPort[other] = 2
      burst.outPort[burst.duplicate(other)] = 3
    })
    assert.deepEqual(sent, ['1<0', '2<0@4', '3<0@4', '5<0'])
  })

  test('gets what a program made', () => {
    const bench = new Bench({}, [mirror({ selectAll: true })])
    const sent = bench.run(0, [frame(0)], (burst) => {
      const made = burst.create(60)
      burst.bytes.set(frame(7), burst.offset[made])
      burst.outPort[made] = 2
    })
    assert.deepEqual(sent, ['2<7', '5<0', '5<7'])
  })

  test('gets nothing but what it mirrors', () => {
    const bench = new Bench({}, [mirror({ selectSrcPort: ['p0'] })])
    const flood = (burst: Burst) => {
      all(5)(burst)
      for (let i = 0; i < burst.count; i++) for (const port of [2, 5, 3]) burst.copyTo(i, port)
    }
    assert.deepEqual(bench.run(1, [frame(0), frame(1)], flood), [
      ...range(2, 0, 2),
      ...range(3, 0, 2),
    ])
    assert.deepEqual(bench.run(0, [frame(0)], flood), ['2<0', '3<0', '5<0'])
    assert.deepEqual(bench.run(5, [frame(0)], flood), [])
  })

  test('gets what port security refuses, and not what is policed', () => {
    const bench = new Bench(
      { 0: { portSecurity: [], ingressPolicingRate: 8, ingressPolicingBurst: 2 } },
      [mirror({ selectSrcPort: ['p0'] })],
    )
    assert.deepEqual(bench.run(0, frames(8), all(1)), range(5, 0, 5))
    assert.deepEqual(bench.drops(0), { ...NONE, ingressPoliced: 3, portSecurity: 5 })
  })

  test('gets what a policer lets pass, and is policed itself', () => {
    const mirrors = [mirror({ selectDstPort: ['p1'] })]
    const bench = new Bench({ 1: { egressPolicer: { cir: 1000, cbs: 250 } } }, mirrors)
    assert.deepEqual(bench.run(0, frames(8), all(1)), [...range(1, 0, 5), ...range(5, 0, 5)])
    const slow = new Bench({ 5: { egressPolicer: { cir: 1000, cbs: 250 } } }, mirrors)
    assert.deepEqual(slow.run(0, frames(8), all(1)), [...range(1, 0, 8), ...range(5, 0, 5)])
    assert.deepEqual(slow.drops(5), { ...NONE, egressPoliced: 3 })
  })

  test('counts what it sent, not what its output is refused', () => {
    const bench = new Bench({ 5: { egressPolicer: { cir: 1000, cbs: 250 } } }, [
      mirror({ selectDstPort: ['p1'] }),
      mirror({ name: 'n', selectSrcPort: ['p0'], outputPort: 'p4' }),
    ])
    bench.run(0, frames(8), all(1))
    bench.run(2, frames(2), all(1))
    assert.deepEqual(bench.mirrored('m'), { frames: 5, bytes: 300 })
    assert.deepEqual(bench.mirrored('n'), { frames: 8, bytes: 480 })
  })

  test('counts beyond 32 bits', () => {
    const bench = new Bench({}, [mirror({ selectDstPort: ['p1'] })])
    new Int32Array(bench.mirrorCounters.get('m') as SharedArrayBuffer).set([-1, 0, -60, 6])
    bench.run(0, frames(2), all(1))
    assert.deepEqual(bench.mirrored('m'), { frames: 2 ** 32 + 1, bytes: 7 * 2 ** 32 + 60 })
  })

  test('gets each frame once, however many copies leave early', () => {
    for (const select of [{ selectDstPort: ['p1', 'p2'] }, { selectAll: true }]) {
      const bench = new Bench({}, [mirror(select), mirror({ ...select, outputPort: 'p4' })])
      const sent = bench.run(0, frames(256), (burst) => {
        for (let i = 0; i < 3000; i++) burst.copyTo(i % 256, 1 + (i % 3))
        for (let i = 0; i < 300; i++) burst.copyTo(i % 256, 5)
      })
      for (const port of [4, 5]) {
        const mirrored = sent.filter((text) => text.startsWith(`${port}<`))
        assert.deepEqual(mirrored.sort(), range(port, 0, 256).sort())
      }
      assert.equal(sent.length, 3000 + 2 * 256)
    }
  })

  test('is sent what does not fit without policing it or anything else again', () => {
    // Enough for 600 frames of 46 bytes.
    const egressPolicer = { cir: 1, cbs: 46 * 600 }
    const bench = new Bench({ 1: { egressPolicer }, 4: { egressPolicer } }, [
      mirror({ selectDstPort: ['p1'], outputPort: 'p4' }),
      mirror({ selectDstPort: ['p1'], outputPort: 'p5' }),
      mirror({ selectSrcPort: ['p0'], outputPort: 'p3' }),
    ])
    const sent = bench.run(0, frames(200), (burst) => {
      for (let i = 0; i < 600; i++) burst.copyTo(i % 200, 1)
    })
    const counts = [1, 3, 4, 5].map((port) => sent.filter((text) => text.startsWith(`${port}<`)))
    assert.deepEqual(
      counts.map(({ length }) => length),
      [600, 200, 200, 200],
    )
    assert.deepEqual(bench.drops(1), NONE)
  })

  test('that has no room for a duplicate loses that frame and no other', () => {
    const bench = new Bench({}, [mirror({ selectSrcPort: ['p0'] })])
    const sent = bench.run(0, frames(300), all(1))
    assert.equal(sent.filter((text) => text.startsWith('1')).length, 300)
    assert.equal(sent.filter((text) => text.startsWith('5')).length, 212)
  })

  test('cuts its copies, and nothing else', () => {
    const lengths = (mirrors: MirrorSpec[], decide = all(1)) => {
      const bench = new Bench({}, mirrors)
      bench.run(0, [frame(0, { bytes: 200 }), frame(1)], decide)
      return { sent: bench.lengths(), counted: bench.mirrored('m') }
    }
    const counted = { frames: 2, bytes: 160 }
    for (const select of [{ selectSrcPort: ['p0'] }, { selectDstPort: ['p1'] }]) {
      const cut = mirror({ ...select, snaplen: 100 })
      assert.deepEqual(lengths([cut]), { sent: ['1:200', '1:60', '5:100', '5:60'], counted })
      // As it is for another.
      const whole = mirror({ ...select, name: 'n', outputPort: 'p4' })
      assert.deepEqual(lengths([cut, whole]), {
        sent: ['1:200', '1:60', '4:200', '4:60', '5:100', '5:60'],
        counted,
      })
    }
  })

  test('to a VLAN goes to all ports that carry it, in their form', () => {
    const ports: Record<number, Partial<AttachmentSpec>> = {
      0: { vlanMode: 'access', tag: 10 },
      1: { vlanMode: 'access', tag: 10 },
      2: { vlanMode: 'access', tag: 20 },
      3: { vlanMode: 'trunk', trunks: [20, 30] },
      4: { vlanMode: 'native-untagged', tag: 20 },
      5: { vlanMode: 'trunk', trunks: [10] },
    }
    const to20 = mirror({ selectAll: true, outputPort: undefined, outputVlan: 20 })
    const bench = new Bench(ports, [to20])
    assert.deepEqual(bench.run(0, [frame(7)], all(1)), ['1<7', '2<7', '3<7@20', '4<7'])
    assert.deepEqual(bench.mirrored('m'), { frames: 1, bytes: 60 })
    // Its tag is replaced, and its priority kept.
    const tagged = frame(8, { vlans: [30] })
    tagged[14] = (tagged[14] as number) | 0xb0
    assert.deepEqual(bench.run(3, [tagged], all(5)), [
      '2<8',
      `3<8@${0xa000 | 20}`,
      '4<8',
      `5<8@${0xb000 | 30}`,
    ])
    // What is in the VLAN stays as it is, as do the frames that bridges keep to themselves.
    assert.deepEqual(bench.run(3, [frame(9, { vlans: [20] })], all(4)), ['4<9@20'])
    const toBridges = frame(10)
    toBridges.set([0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e])
    assert.deepEqual(bench.run(0, [toBridges], all(1)), ['1<10'])
    // Its ports are ports like others, but not the output of another mirror.
    const other = mirror({ name: 'n', selectSrcPort: ['p2'], outputPort: 'p4' })
    const two = new Bench(ports, [to20, other])
    assert.deepEqual(two.run(0, [frame(1)], all(2)), ['2<1', '2<1', '3<1@20'])
  })

  test('to a VLAN cuts with the tag', () => {
    const ports = { 3: { vlanMode: 'trunk', trunks: [20] } } as const
    const bench = new Bench(ports, [
      mirror({ selectSrcPort: ['p0'], outputPort: undefined, outputVlan: 20, snaplen: 50 }),
    ])
    bench.run(0, [frame(7)], all(1))
    assert.deepEqual(
      bench.lengths(),
      [0, 1, 2, 3, 4, 5]
        .map((port) => `${port}:50`)
        .concat('1:60')
        .sort(),
    )
  })

  test('shares an output with another, which gets each frame once', () => {
    const select = { selectSrcPort: ['p0'], selectDstPort: ['p1'] }
    const bench = new Bench({}, [mirror(select), mirror({ ...select, name: 'n', snaplen: 20 })])
    assert.deepEqual(bench.run(0, [frame(0)], all(1)), ['1<0', '5<0'])
    assert.deepEqual(bench.run(2, [frame(0)], all(1)), ['1<0', '5<0'])
    assert.deepEqual(bench.mirrored('n'), { frames: 0, bytes: 0 })
  })

  test('whose port is not ready costs nothing', () => {
    const bench = new Bench({}, [mirror({ selectAll: true })])
    bench.lcore.memory.isReady[5] = 0
    const burst = bench.lcore.receive(0, frames(3))
    assert.equal(bench.guards.ingress(burst), burst)
    assert.deepEqual(bench.run(0, frames(3), all(1)), range(1, 0, 3))
  })
})

test('a decision that throws leaves nothing behind', () => {
  const bench = new Bench({ 2: { egressPolicer: { cir: 1, cbs: 1 } } }, [
    mirror({ selectAll: true }),
  ])
  const burst = bench.lcore.receive(0, frames(4))
  const failing = (passed: Burst) => {
    all(1)(passed)
    for (let i = 0; i < 400; i++) passed.copyTo(i % 4, 3)
    throw new Error('oops')
  }
  assert.throws(() => failing(bench.guards.ingress(burst)), /oops/)
  burst.dropAll()
  assert.deepEqual(bench.lcore.sent(), [])
  assert.deepEqual(bench.run(0, frames(2), all(1)), [...range(1, 0, 2), ...range(5, 0, 2)])
  // A bridge without guards is next on this lcore: none of this one's are left on the burst.
  const next = bench.lcore.receive(0, frames(1))
  bench.guards.ingress(next)
  next.begin(1)
  assert.equal(next.beforeFlush, undefined)
})
