import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  buildArpRequest,
  buildEcho,
  buildEthernet,
  buildIp,
  buildTcp,
  buildUdp,
} from '../../src/headers/build.js'
import {
  ABSENT,
  EtherType,
  Fragment,
  HeaderError,
  Headers,
  ipv4,
  ipv6,
  Protocol,
  vlan,
} from '../../src/headers/index.js'
import { hex, viewOf } from './reference.js'

const macs = { destination: '02:00:00:00:00:02', source: '02:00:00:00:00:01' }
const v4 = { ...macs, sourceIp: '192.0.2.1', destinationIp: '198.51.100.2' }
const v6 = { ...macs, sourceIp: '2001:db8::1', destinationIp: '2001:db8::2' }
const ports = { sourcePort: 1234, destinationPort: 53 }

function parse(frame: Uint8Array, length = frame.length): Headers {
  const headers = new Headers()
  headers.parseAt(viewOf(frame), 0, length)
  return headers
}

function expect(frame: Uint8Array, wanted: Partial<Headers>): Headers {
  const headers = parse(frame)
  for (const [key, value] of Object.entries(wanted)) {
    assert.equal(headers[key as keyof Headers], value, key)
  }
  return headers
}

describe('where headers are', () => {
  test('TCP over IPv4', () => {
    const payload = 34 + 20
    expect(buildTcp({ ...v4, ...ports, payload: 'x' }), {
      l2: 0,
      l3: 14,
      l4: 34,
      payload,
      end: payload + 1,
      etherType: EtherType.ipv4,
      protocol: Protocol.tcp,
      tags: 0,
      error: 0,
    })
  })

  test('options move what follows them', () => {
    const options = new Uint8Array(8).fill(1)
    expect(buildTcp({ ...v4, ...ports, options, tcpOptions: options }), {
      l4: 42,
      payload: 70,
      end: 70,
    })
  })

  test('padding is not payload', () => {
    expect(buildUdp({ ...v4, ...ports, payload: 'x', minLength: 60 }), {
      l4: 34,
      payload: 42,
      end: 43,
    })
  })

  test('one tag, two tags, and one more than is looked through', () => {
    const [a, b, c] = [{ vid: 100, tpid: EtherType.serviceVlan, pcp: 5 }, 200, 300] as const
    expect(buildUdp({ ...v4, ...ports, vlans: [b] }), {
      tags: 1,
      tci: 200,
      l3: 18,
      etherType: EtherType.ipv4,
    })
    const two = buildUdp({ ...v4, ...ports, vlans: [a, b] })
    expect(two, { tags: 2, tci: 0xa064, l3: 22, l4: 42 })
    const view = viewOf(two)
    assert.deepEqual(
      [vlan.tpid(view, 12), vlan.vid(view, 12), vlan.pcp(view, 12), vlan.dei(view, 12)],
      [0x88a8, 100, 5, false],
    )
    assert.deepEqual(
      [vlan.tpid(view, 16), vlan.vid(view, 16), vlan.tci(view, 16)],
      [0x8100, 200, 200],
    )
    const three = buildUdp({ ...v4, ...ports, vlans: [a, b, c] })
    expect(three, { tags: 2, etherType: EtherType.vlan, l3: ABSENT, payload: 22, error: 0 })
  })

  test('ARP', () => {
    const frame = buildArpRequest({
      senderMac: 1,
      senderIp: '10.0.0.1',
      targetIp: '10.0.0.2',
      minLength: 60,
    })
    expect(frame, { etherType: EtherType.arp, l3: 14, l4: ABSENT, payload: 42, protocol: -1 })
    viewOf(frame).setUint8(14 + 4, 8)
    expect(frame, { l3: ABSENT, error: HeaderError.arp })
  })

  test('LLC and unknown types', () => {
    expect(buildEthernet({ ...macs, type: 46, payload: new Uint8Array(46) }), {
      etherType: 0,
      payload: 14,
      error: 0,
    })
    expect(buildEthernet({ ...macs, type: 0x88cc }), {
      etherType: 0x88cc,
      payload: 14,
      end: 14,
      l3: ABSENT,
    })
  })

  test('protocols without a header known here have a payload only', () => {
    expect(buildIp({ ...v4, protocol: Protocol.gre, payload: 'abcd' }), {
      l3: 14,
      l4: ABSENT,
      payload: 34,
      end: 38,
      error: 0,
    })
  })

  test('SCTP, ICMP and ICMPv6', () => {
    expect(buildIp({ ...v4, protocol: Protocol.sctp, payload: new Uint8Array(16) }), {
      l4: 34,
      payload: 46,
    })
    expect(buildEcho({ ...v4, payload: 'x' }), { l4: 34, payload: 42, end: 43 })
    expect(buildEcho({ ...v6, payload: 'x' }), {
      l4: 54,
      payload: 62,
      end: 63,
      protocol: Protocol.icmpv6,
    })
  })

  test('a parser forgets the frame before', () => {
    const headers = parse(buildTcp({ ...v4, ...ports, vlans: [1] }))
    headers.parseAt(new DataView(new ArrayBuffer(20)), 0, 13)
    const { l2, l3, l4, payload, tags, tci, protocol, error } = headers
    assert.deepEqual([l2, l3, l4, payload], [ABSENT, ABSENT, ABSENT, ABSENT])
    assert.deepEqual([tags, tci, protocol, error], [0, 0, -1, HeaderError.truncated])
  })
})

describe('IPv4 that is not right', () => {
  const frame = () => buildUdp({ ...v4, ...ports, payload: 'abcdefgh' })
  const broken = (change: (view: DataView) => void) => {
    const bytes = frame()
    change(viewOf(bytes))
    return bytes
  }
  const cases: [string, Uint8Array, Partial<Headers>][] = [
    [
      'version',
      broken((view) => view.setUint8(14, 0x65)),
      { l3: ABSENT, error: HeaderError.version },
    ],
    [
      'header length 4',
      broken((view) => view.setUint8(14, 0x44)),
      { l3: ABSENT, error: HeaderError.length },
    ],
    [
      'header length beyond the frame',
      broken((view) => view.setUint8(14, 0x4f)),
      { l3: ABSENT, error: HeaderError.truncated },
    ],
    [
      'total length below the header',
      broken((view) => view.setUint16(16, 19)),
      { l3: 14, l4: ABSENT, error: HeaderError.length },
    ],
    [
      'total length beyond the frame',
      broken((view) => view.setUint16(16, 37)),
      { l3: 14, l4: ABSENT, error: HeaderError.truncated },
    ],
    [
      'total length in the UDP header',
      broken((view) => view.setUint16(16, 27)),
      { l3: 14, l4: ABSENT, error: HeaderError.truncated },
    ],
    [
      'UDP length below 8',
      broken((view) => view.setUint16(38, 7)),
      { l4: ABSENT, error: HeaderError.length },
    ],
    [
      'UDP length beyond the datagram',
      broken((view) => view.setUint16(38, 17)),
      { l4: ABSENT, error: HeaderError.length },
    ],
  ]
  for (const [name, bytes, wanted] of cases) test(name, () => void expect(bytes, wanted))

  test('TCP offset below 5 and beyond the segment', () => {
    const bytes = buildTcp({ ...v4, ...ports })
    viewOf(bytes).setUint8(34 + 12, 0x40)
    expect(bytes, { l4: ABSENT, error: HeaderError.length })
    viewOf(bytes).setUint8(34 + 12, 0x60)
    expect(bytes, { l4: ABSENT, error: HeaderError.truncated })
  })
})

describe('fragments', () => {
  const frame = buildUdp({ ...v4, ...ports, payload: new Uint8Array(24) })
  const withFlags = (flags: number) => {
    const bytes = frame.slice()
    viewOf(bytes).setUint16(14 + 6, flags)
    return bytes
  }
  test('IPv4', () => {
    expect(withFlags(0x4000), { fragment: Fragment.none, l4: 34 })
    expect(withFlags(0x2000), { fragment: Fragment.first, l4: 34 })
    expect(withFlags(0x2001), {
      fragment: Fragment.later,
      l4: ABSENT,
      payload: 34,
      protocol: Protocol.udp,
    })
    expect(withFlags(0x1fff), { fragment: Fragment.later, l4: ABSENT })
    assert.equal(ipv4.fragmentOffset(viewOf(withFlags(0x1fff)), 14), 65528)
    assert.ok(
      ipv4.isFragment(viewOf(withFlags(0x2000)), 14) &&
        !ipv4.isFragment(viewOf(withFlags(0x4000)), 14),
    )
  })

  test('a first fragment may hold less than UDP says', () => {
    const bytes = withFlags(0x2000)
    viewOf(bytes).setUint16(38, 1400)
    expect(bytes, { l4: 34, error: 0 })
  })

  test('IPv6', () => {
    const udpBytes = hex('04d2 0035 000c 0000 61626364')
    const withField = (field: number) => {
      const payload = new Uint8Array(8 + udpBytes.length)
      payload.set([Protocol.udp, 0, field >> 8, field & 0xff, 0, 0, 0, 1])
      payload.set(udpBytes, 8)
      return buildIp({ ...v6, protocol: ipv6.Extension.fragment, payload })
    }
    expect(withField(0), { fragment: Fragment.none, l4: 62, protocol: Protocol.udp })
    expect(withField(1), { fragment: Fragment.first, l4: 62 })
    expect(withField(9), {
      fragment: Fragment.later,
      l4: ABSENT,
      payload: 62,
      protocol: Protocol.udp,
    })
    expect(withField(8), { fragment: Fragment.later, l4: ABSENT })
  })
})

describe('IPv6 extension headers', () => {
  /** Options headers of `lengths` bytes in front of a UDP header. */
  const chained = (lengths: readonly number[], kind: number = ipv6.Extension.destination) => {
    const udpBytes = hex('04d2 0035 0008 0000')
    const payload = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0) + 8)
    let at = 0
    lengths.forEach((length, i) => {
      payload[at] = i + 1 < lengths.length ? kind : Protocol.udp
      payload[at + 1] = kind === ipv6.Extension.authentication ? length / 4 - 2 : length / 8 - 1
      at += length
    })
    payload.set(udpBytes, at)
    return buildIp({ ...v6, protocol: lengths.length > 0 ? kind : Protocol.udp, payload })
  }

  test('are stepped over', () => {
    expect(chained([]), { l4: 54, protocol: Protocol.udp })
    expect(chained([8, 24]), { l4: 86, payload: 94 })
    expect(chained([12], ipv6.Extension.authentication), { l4: 66 })
    expect(chained(Array(8).fill(8)), { l4: 54 + 64, error: 0 })
  })

  test('are limited in number', () => {
    expect(chained(Array(9).fill(8)), { l4: ABSENT, error: HeaderError.extensions })
  })

  test('end the parsing when they are cut off', () => {
    const frame = chained([24])
    viewOf(frame).setUint8(54 + 1, 200)
    expect(frame, { l3: 14, l4: ABSENT, error: HeaderError.truncated })
  })

  test('nothing follows protocol 59', () => {
    expect(buildIp({ ...v6, protocol: Protocol.none }), { l4: ABSENT, protocol: 59, error: 0 })
  })

  test('a payload length beyond the frame, and one of 0', () => {
    const frame = buildUdp({ ...v6, ...ports })
    viewOf(frame).setUint16(18, 9)
    expect(frame, { l3: 14, l4: ABSENT, error: HeaderError.truncated })
    viewOf(frame).setUint16(18, 0)
    expect(frame, { l4: ABSENT, error: HeaderError.truncated, end: 54 })
  })
})
