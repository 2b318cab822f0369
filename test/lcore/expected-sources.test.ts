/** What an lcore says of the frames it received: which are from where they were expected, and how many bytes they have. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ExpectedSources } from '../../src/burst/expected-sources.js'
import {
  buildArpReply,
  buildEcho,
  buildEthernet,
  buildTcp,
  buildUdp,
} from '../../src/headers/build.js'
import { type Burst, Datapath, type Lcore, type Program } from '../../src/index.js'
import { frameLoops } from '../../src/switch/guards/frame-loops.js'
import { Random, seeds } from '../headers/random.js'
import { type Loopback, loopback, SMALL, socketFolder, until } from '../support/loopback.js'

const MAC = 'fa:16:3e:00:00:01'
const OTHER = 'fa:16:3e:00:00:02'
const TAG = 7
const DHCP_CLIENT = 68
const DHCPV6_CLIENT = 546

const to = { source: MAC, destination: OTHER }
const over4 = { ...to, sourceIp: '10.0.0.1', destinationIp: '10.0.0.2' }
const over6 = { ...to, sourceIp: '2001:db8::1', destinationIp: '2001:db8::2' }
const ports = { sourcePort: 1, destinationPort: 2 }
type Udp = Partial<Parameters<typeof buildUdp>[0]>
const udp4 = (some: Udp = {}) => buildUdp({ ...over4, ...ports, ...some })
const udp6 = (some: Udp = {}) => buildUdp({ ...over6, ...ports, ...some })
const tcp4 = (some: Udp = {}) => buildTcp({ ...over4, ...ports, ...some })
const tcp6 = (some: Udp = {}) => buildTcp({ ...over6, ...ports, ...some })

/** A frame with other octets from `at` on. */
function changed(frame: Uint8Array, at: number, ...octets: number[]): Uint8Array {
  const copy = frame.slice()
  copy.set(octets, at)
  return copy
}

/** Words that a frame's own source makes, of its address as many bits as the mask has. */
function sourceOf(frame: Uint8Array, address: number, mask: readonly number[]): Int32Array {
  const bytes = Buffer.from(frame)
  const masked = mask.map((octet, i) => octet & (frame[address + i] as number))
  const all = Buffer.from([...bytes.subarray(6, 14), ...masked, ...mask])
  return Int32Array.from({ length: all.length / 4 }, (_, i) => all.readInt32LE(4 * i))
}

const ones = (octets: number) => Array<number>(octets).fill(255)
const v4 = sourceOf(udp4(), 26, [...ones(3), 0])
const v6 = sourceOf(udp6(), 22, [...ones(8), ...Array<number>(8).fill(0)])
const NO_V4 = new Int32Array(ExpectedSources.V4_WORDS)
const NO_V6 = new Int32Array(ExpectedSources.V6_WORDS)

const long = { payload: new Uint8Array(30) }
const cases: Record<string, readonly (readonly [name: string, isPlain: boolean, Uint8Array])[]> = {
  'over IPv4': [
    ['UDP', true, udp4()],
    ['UDP, padded', true, udp4({ minLength: 60 })],
    ['TCP', true, tcp4()],
    ['another address of the network', true, udp4({ sourceIp: '10.0.0.200' })],
    ['an address beside it', false, udp4({ sourceIp: '10.0.1.1' })],
    ['another MAC address', false, udp4({ source: OTHER })],
    ['to a client of DHCP', false, udp4({ sourcePort: 67, destinationPort: DHCP_CLIENT })],
    ['to the port of clients of DHCPv6', true, udp4({ destinationPort: DHCPV6_CLIENT })],
    ['TCP to port 68', true, tcp4({ destinationPort: DHCP_CLIENT })],
    ['ICMP', false, buildEcho(over4)],
    ['a tag', false, udp4({ vlans: [5] })],
    ['options', false, udp4({ options: new Uint8Array(4) })],
    ['a short header', false, changed(udp4(), 14, 0x44)],
    ['version 6', false, changed(udp4(), 14, 0x65)],
    ['a first fragment', false, changed(udp4(long), 20, 0x20)],
    ['a later fragment', false, changed(udp4(long), 21, 1)],
    ['a last fragment', false, changed(udp4(long), 20, 0x1f, 0xff)],
    ['not to be fragmented', true, changed(udp4(), 20, 0x40)],
    ['cut off', false, udp4().subarray(0, 41)],
    ['cut off in the header', false, udp4().subarray(0, 20)],
    ['the Ethernet header alone', false, udp4().subarray(0, 14)],
    ['IP with 27 bytes', false, changed(udp4(), 16, 0, 27)],
    ['IP with 19 bytes', false, changed(udp4(), 16, 0, 19)],
    ['UDP with 7 bytes', false, changed(udp4(), 38, 0, 7)],
    ['UDP with more than IP', false, changed(udp4(), 38, 0, 9)],
    ['UDP with less than IP', true, changed(udp4(long), 38, 0, 8)],
    ['TCP with a header of 16 bytes', false, changed(tcp4(long), 46, 0x40)],
    ['TCP with a header longer than all', false, changed(tcp4(), 46, 0x60)],
  ],
  'over IPv6': [
    ['UDP', true, udp6()],
    ['TCP', true, tcp6()],
    ['another address of the network', true, udp6({ sourceIp: '2001:db8::ffff:1' })],
    ['an address beside it', false, udp6({ sourceIp: '2001:db8:0:1::1' })],
    ['another MAC address', false, udp6({ source: OTHER })],
    ['to a client of DHCPv6', false, udp6({ destinationPort: DHCPV6_CLIENT })],
    ['to the port of clients of DHCP', true, udp6({ destinationPort: DHCP_CLIENT })],
    ['ICMPv6', false, buildEcho(over6)],
    ['a tag', false, udp6({ vlans: [5, 6] })],
    ['an extension header', false, changed(udp6(long), 20, 0)],
    ['a fragment', false, changed(udp6(long), 20, 44)],
    ['version 4', false, changed(udp6(), 14, 0x45)],
    ['cut off', false, udp6().subarray(0, 61)],
    ['IP with 7 bytes', false, changed(udp6(), 18, 0, 7)],
    ['UDP with 7 bytes', false, changed(udp6(), 58, 0, 7)],
    ['UDP with more than IP', false, changed(udp6(), 58, 0, 9)],
    ['TCP with a header of 16 bytes', false, changed(tcp6(long), 66, 0x40)],
  ],
  otherwise: [
    [
      'ARP',
      false,
      buildArpReply({
        senderMac: MAC,
        senderIp: '10.0.0.1',
        targetMac: OTHER,
        targetIp: '10.0.0.2',
      }),
    ],
    ['another type', false, buildEthernet({ ...to, type: 0x88b5, payload: udp4().subarray(14) })],
    ['no type, from nowhere', false, changed(udp4(), 6, 0, 0, 0, 0, 0, 0, 0, 0)],
  ],
}

/** What an lcore said of a burst, and what there was in it. */
interface Seen {
  expected: number
  ofOthers: number
  payload: number
  lengths: number[]
  /** What loops in JavaScript find. */
  found: number
}

describe('frames that are expected', () => {
  const folder = socketFolder()
  let datapath: Datapath
  let link: Omit<Loopback, 'datapath'>
  let lcore: Lcore
  const waiting: (readonly Uint8Array[])[] = []
  const seen: Seen[] = []
  let sources = [v4, v6] as const

  /** Sends what waits from the guest's side, and looks at what comes. */
  const program: Program = {
    burst(burst) {
      if (burst.inPort === link.vhost.id) seen.push(look(burst, ...sources))
    },
    idle(burst) {
      const frames = waiting.shift() ?? []
      for (const frame of frames) {
        const made = burst.create(frame.length)
        burst.bytes.set(frame, burst.offset[made])
        burst.outPort[made] = link.guest.id
      }
      const [over4, over6] = sources
      const { id } = link.vhost
      burst.sources.expect(id, TAG, over4, over6, DHCP_CLIENT, DHCPV6_CLIENT)
    },
  }

  before(async () => {
    datapath = await Datapath.open(SMALL)
    link = await loopback(datapath, folder.path)
    lcore = await datapath.run(program)
  })
  after(async () => {
    await lcore[Symbol.asyncDispose]()
    await link[Symbol.asyncDispose]()
    await datapath.close()
    folder[Symbol.dispose]()
  })

  /** What the lcore said of these, each list in one burst or in some. */
  async function send(...bursts: (readonly Uint8Array[])[]): Promise<Seen[]> {
    seen.length = 0
    const count = bursts.reduce((sum, frames) => sum + frames.length, 0)
    waiting.push(...bursts)
    const arrived = () => seen.reduce((sum, { lengths }) => sum + lengths.length, 0)
    await until('all arrived', () => arrived() >= count)
    return seen.splice(0)
  }

  for (const [where, list] of Object.entries(cases)) {
    for (const [name, isPlain, frame] of list) {
      test(`${where}: ${name}: ${isPlain ? 'is' : 'is not'} one`, async () => {
        sources = [v4, v6]
        const [first] = await send([frame])
        assert.equal(first?.expected, isPlain ? 1 : 0)
        const among = await send([udp4(), tcp6(), frame, udp4()])
        assert.deepEqual(
          among.map(({ expected }) => expected),
          [isPlain ? 4 : 2],
        )
      })
    }
  }

  test('are none of a tag that expects nothing', async () => {
    const [first] = await send([udp4()])
    assert.deepEqual([first?.expected, first?.ofOthers], [1, 0])
  })

  test('are none over a version of IP without a source', async () => {
    const nowhere = Array<number>(8).fill(0)
    for (const [only, some] of [
      [[v4, NO_V6], udp6()],
      [[NO_V4, v6], udp4()],
      // What no source looks like.
      [[NO_V4, NO_V6], changed(udp4(), 6, ...nowhere)],
      [[NO_V4, NO_V6], changed(udp6(), 6, ...nowhere)],
    ] as const) {
      sources = only
      await send([udp4()])
      assert.equal((await send([some]))[0]?.expected, 0)
    }
    sources = [v4, v6]
    await send([udp4()])
  })

  test('are told with the bytes behind the Ethernet headers', async () => {
    const frames = [14, 15, 60, 1514].map((bytes) => changed(new Uint8Array(bytes), 0, 2))
    const bursts = await send(frames, frames.slice(1))
    assert.deepEqual(
      bursts.flatMap(({ lengths }) => lengths),
      [14, 15, 60, 1514, 15, 60, 1514],
    )
    for (const { payload, lengths } of bursts)
      assert.equal(
        payload,
        lengths.reduce((sum, length) => sum + length - 14, 0),
      )
  })

  const bytes = [0, 1, 2, 5, 6, 7, 8, 9, 16, 17, 20, 28, 32, 44, 64, 68, 69, 80, 128, 255]
  /** Source, type, lengths, fragments, protocol, ports, header of TCP. */
  const places = [
    ...[6, 11, 12, 13, 14, 16, 17, 20, 21, 23, 26, 28, 29, 34, 35, 36, 37, 38, 39, 46],
    ...[18, 19, 22, 30, 56, 57, 58, 59, 66],
  ]
  const some = Object.values(cases).flatMap((list) => list.map(([, , frame]) => frame))
  const plain = [udp4(long), udp4({ minLength: 60 }), tcp4(long), udp6(long), tcp6(long)]
  for (const seed of seeds()) {
    test(`are those that loops in JavaScript find: seed ${seed}`, async () => {
      const random = new Random(seed)
      const bursts = Array.from({ length: 3000 }, () =>
        Array.from({ length: 8 }, () => {
          const frame = random.pick(random.below(6) === 0 ? some : plain).slice()
          if (frame.length < 42 || random.below(4) > 0) return frame
          if (random.below(4) === 0) return frame.subarray(0, 14 + random.below(frame.length - 13))
          const at = random.pick(places)
          if (at < frame.length)
            frame[at] = random.below(2) === 0 ? random.pick(bytes) : random.below(256)
          return frame
        }),
      )
      const all = await send(...bursts)
      assert.deepEqual(
        all.map(({ expected }) => expected),
        all.map(({ found }) => found),
      )
      const whole = all.filter(({ expected, lengths }) => expected === lengths.length)
      assert.ok(whole.length > 0 && whole.length < all.length)
    })
  }
})

function look(burst: Burst, over4: Int32Array, over6: Int32Array): Seen {
  const { count } = burst
  const loops = frameLoops(burst)
  let found = 0
  for (let before = -1; found !== before; ) {
    before = found
    found = loops.endOfIpv4(over4, found, count)
    found = loops.endOfIpv6(over6, found, count)
  }
  return {
    expected: burst.expected(TAG),
    ofOthers: burst.expected(TAG + 1),
    payload: burst.payload,
    lengths: [...burst.length.subarray(0, count)],
    found,
  }
}
