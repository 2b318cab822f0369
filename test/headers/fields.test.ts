import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildEcho, buildTcp, buildUdp } from '../../src/headers/build.js'
import {
  ABSENT,
  arp,
  ethernet,
  icmp,
  icmpv6,
  ipv4,
  ipv6,
  parseIpv4,
  parseIpv6,
  parseMac,
  tcp,
  udp,
  verifyIpv4Checksum,
  vlan,
} from '../../src/headers/index.js'
import { hex, viewOf } from './reference.js'

// Written down field by field from the standards, so that the accessors are not tested with what they wrote.
const arpFrame = hex(`ffffffffffff 0200000000aa 0806
  0001 0800 06 04 0001 0200000000aa 0a000001 000000000000 0a000002`)
const tcpFrame = hex(`0200000000bb 0200000000aa 0800
  46 b8 0034 1234 4000 3f 06 0000 c0000201 c6336402 01010100
  04d2 0050 01020304 0a0b0c0d 60 12 fff0 beef 0007 020405b4`)
const v6Frame = hex(`333300000001 0200000000aa 86dd
  6 e1 12345 0020 3a ff fe800000000000000000000000000001 ff020000000000000000000000000001
  87 00 abcd 00000000 fe8000000000000000000000000000bb 01 01 0200000000aa`)

describe('Ethernet', () => {
  const view = viewOf(tcpFrame.slice())
  test('reads', () => {
    assert.equal(ethernet.destination(view, 0), parseMac('02:00:00:00:00:bb'))
    assert.equal(ethernet.source(view, 0), parseMac('02:00:00:00:00:aa'))
    assert.equal(ethernet.type(view, 0), ethernet.EtherType.ipv4)
    assert.deepEqual([ethernet.isBroadcast(view, 0), ethernet.isMulticast(view, 0)], [false, false])
    assert.deepEqual(
      [ethernet.isBroadcast(viewOf(arpFrame), 0), ethernet.isMulticast(viewOf(arpFrame), 0)],
      [true, true],
    )
    assert.deepEqual(
      [ethernet.isBroadcast(viewOf(v6Frame), 0), ethernet.isMulticast(viewOf(v6Frame), 0)],
      [false, true],
    )
  })
  test('writes', () => {
    ethernet.swapAddresses(view, 0)
    assert.deepEqual(new Uint8Array(view.buffer, 0, 14), hex('0200000000aa 0200000000bb 0800'))
    ethernet.setDestination(view, 0, 0xf1f2f3f4f5f6)
    ethernet.setSource(view, 0, 0x010203040506)
    ethernet.setType(view, 0, 0x1234)
    assert.deepEqual(new Uint8Array(view.buffer, 0, 14), hex('f1f2f3f4f5f6 010203040506 1234'))
  })
})

test('ARP', () => {
  const view = viewOf(arpFrame.slice())
  assert.ok(arp.isEthernetIpv4(view, 14))
  assert.equal(arp.operation(view, 14), arp.Operation.request)
  assert.equal(arp.senderMac(view, 14), parseMac('02:00:00:00:00:aa'))
  assert.equal(arp.senderIpv4(view, 14), parseIpv4('10.0.0.1'))
  assert.equal(arp.targetMac(view, 14), 0)
  assert.equal(arp.targetIpv4(view, 14), parseIpv4('10.0.0.2'))
  arp.setOperation(view, 14, 2)
  arp.setSenderMac(view, 14, 0x020000000001)
  arp.setSenderIpv4(view, 14, 0xffffffff)
  arp.setTargetMac(view, 14, 0x020000000002)
  arp.setTargetIpv4(view, 14, 0x01020304)
  const body = new Uint8Array(view.buffer, 14)
  assert.deepEqual(body, hex('0001 0800 06 04 0002 020000000001 ffffffff 020000000002 01020304'))
})

describe('IPv4', () => {
  const view = viewOf(tcpFrame.slice())
  const at = 14
  test('reads', () => {
    assert.deepEqual(
      [ipv4.version(view, at), ipv4.headerLength(view, at), ipv4.optionsLength(view, at)],
      [4, 24, 4],
    )
    assert.deepEqual(
      [ipv4.dscp(view, at), ipv4.ecn(view, at), ipv4.totalLength(view, at)],
      [46, 0, 0x34],
    )
    assert.deepEqual([ipv4.identification(view, at), ipv4.fragmentOffset(view, at)], [0x1234, 0])
    assert.deepEqual([ipv4.dontFragment(view, at), ipv4.moreFragments(view, at)], [true, false])
    assert.deepEqual([ipv4.ttl(view, at), ipv4.protocol(view, at)], [63, ipv4.Protocol.tcp])
    assert.equal(ipv4.source(view, at), parseIpv4('192.0.2.1'))
    assert.equal(ipv4.destination(view, at), parseIpv4('198.51.100.2'))
  })

  test('TTL and DSCP take the checksum along', () => {
    const frame = buildUdp({
      destination: 1,
      source: 2,
      sourceIp: '10.0.0.1',
      destinationIp: '10.0.0.2',
      sourcePort: 1,
      destinationPort: 2,
      ttl: 3,
    })
    const udpView = viewOf(frame)
    for (const left of [2, 1, 0, 0]) {
      assert.equal(ipv4.decrementTtl(udpView, at), left)
      assert.equal(ipv4.ttl(udpView, at), left)
      assert.ok(verifyIpv4Checksum(udpView, at))
    }
    for (const ttl of [255, 0, 1]) {
      ipv4.setTtl(udpView, at, ttl)
      ipv4.setDscp(udpView, at, ttl & 0x3f)
      assert.deepEqual([ipv4.ttl(udpView, at), ipv4.dscp(udpView, at)], [ttl, ttl & 0x3f])
      assert.ok(verifyIpv4Checksum(udpView, at))
    }
  })
})

describe('IPv6', () => {
  const view = viewOf(v6Frame.slice())
  const at = 14
  test('reads', () => {
    assert.deepEqual(
      [ipv6.version(view, at), ipv6.trafficClass(view, at), ipv6.flowLabel(view, at)],
      [6, 0xe1, 0x12345],
    )
    assert.deepEqual(
      [ipv6.payloadLength(view, at), ipv6.nextHeader(view, at), ipv6.hopLimit(view, at)],
      [32, 58, 255],
    )
    assert.deepEqual(
      [0, 1, 2, 3].map((i) => ipv6.sourceWord(view, at, i)),
      [0xfe800000, 0, 0, 1],
    )
    assert.deepEqual(
      [0, 3].map((i) => ipv6.destinationWord(view, at, i)),
      [0xff020000, 1],
    )
    assert.ok(
      ipv6.isSource(view, at, parseIpv6('fe80::1')) &&
        !ipv6.isSource(view, at, parseIpv6('fe80::2')),
    )
    assert.ok(ipv6.isDestination(view, at, parseIpv6('ff02::1')))
  })
  test('writes', () => {
    ipv6.setTrafficClass(view, at, 0x1e)
    ipv6.setPayloadLength(view, at, 7)
    ipv6.setHopLimit(view, at, 1)
    assert.deepEqual([ipv6.decrementHopLimit(view, at), ipv6.decrementHopLimit(view, at)], [0, 0])
    assert.deepEqual(new Uint8Array(view.buffer, at, 8), hex('61e12345 0007 3a 00'))
    ipv6.setSource(view, at, parseIpv6('2001:db8::5'))
    ipv6.setDestination(view, at, parseIpv6('::1'))
    assert.deepEqual(
      new Uint8Array(view.buffer, at + 8, 32).slice(12, 20),
      hex('00000005 00000000'),
    )
  })
})

test('ICMP', () => {
  const ends = { destination: 1, source: 2, sourceIp: '10.0.0.1', destinationIp: '10.0.0.2' }
  const view = viewOf(buildEcho({ ...ends, identifier: 0x1111, sequence: 0x2222, reply: true }))
  assert.deepEqual([icmp.type(view, 34), icmp.code(view, 34)], [0, 0])
  assert.deepEqual([icmp.identifier(view, 34), icmp.sequence(view, 34)], [0x1111, 0x2222])
})

test('neighbour discovery', () => {
  const view = viewOf(v6Frame)
  const [at, end] = [54, v6Frame.length]
  assert.deepEqual(
    [icmpv6.type(view, at), icmpv6.checksum(view, at)],
    [icmpv6.Type.neighbourSolicitation, 0xabcd],
  )
  const target = icmpv6.neighbourTarget(view, at, end)
  assert.equal(target, 62)
  assert.ok(ipv6.isAddress(view, target, parseIpv6('fe80::bb')))
  const option = icmpv6.option(view, at, end, icmpv6.Option.sourceLinkLayerAddress)
  assert.equal(option, 78)
  assert.equal(icmpv6.optionMac(view, option), parseMac('02:00:00:00:00:aa'))
  assert.equal(icmpv6.option(view, at, end, icmpv6.Option.targetLinkLayerAddress), ABSENT)
  assert.equal(icmpv6.option(view, at, end - 1, icmpv6.Option.sourceLinkLayerAddress), ABSENT)
  assert.equal(icmpv6.neighbourTarget(view, at, at + 23), ABSENT)
  const advertisement = v6Frame.slice()
  advertisement.set([136, 0, 0, 0, 0x60], at)
  assert.equal(icmpv6.neighbourFlags(viewOf(advertisement), at), 3)
  advertisement[79] = 2
  assert.equal(icmpv6.option(viewOf(advertisement), at, end, 1), ABSENT)
  advertisement[79] = 0
  assert.equal(icmpv6.option(viewOf(advertisement), at, end, 9), ABSENT)
})

describe('TCP', () => {
  const view = viewOf(tcpFrame)
  const at = 38
  test('reads', () => {
    assert.deepEqual([tcp.sourcePort(view, at), tcp.destinationPort(view, at)], [1234, 80])
    assert.deepEqual(
      [tcp.sequence(view, at), tcp.acknowledgement(view, at)],
      [0x01020304, 0x0a0b0c0d],
    )
    assert.deepEqual(
      [tcp.headerLength(view, at), tcp.flags(view, at)],
      [24, tcp.Flag.syn | tcp.Flag.ack],
    )
    assert.deepEqual(
      [tcp.window(view, at), tcp.checksum(view, at), tcp.urgentPointer(view, at)],
      [0xfff0, 0xbeef, 7],
    )
    assert.equal(tcp.maximumSegmentSize(view, at), 1460)
  })
  const withOptions = (options: string) => {
    const fields = {
      destination: 1,
      source: 2,
      sourceIp: '10.0.0.1',
      destinationIp: '10.0.0.2',
      sourcePort: 1,
      destinationPort: 2,
    }
    return viewOf(buildTcp({ ...fields, tcpOptions: hex(options) }))
  }
  for (const [name, options, mss] of [
    ['behind others', '01 0402 01 020405b4', 1460],
    ['behind the end', '00 01 01 01 020405b4', 0],
    ['of a wrong length', '0203ffff', 0],
    ['behind one of length 0', '0300 0000 020405b4', 0],
    ['behind one of length 1', '0301 0101 020405b4', 0],
    ['that leaves the header', '01010204', 0],
    ['that leaves the header by one byte', '01020405', 0],
    ['cut off after its kind', '01010102', 0],
  ] as const) {
    test(`option ${name}`, () =>
      assert.equal(tcp.maximumSegmentSize(withOptions(options), 34), mss))
  }
})

test('UDP', () => {
  const view = viewOf(hex('04d2 0035 0010 beef'))
  assert.deepEqual([udp.sourcePort(view, 0), udp.destinationPort(view, 0)], [1234, 53])
  assert.deepEqual([udp.length(view, 0), udp.checksum(view, 0)], [16, 0xbeef])
  udp.setLength(view, 0, 8)
  udp.setChecksum(view, 0, 1)
  assert.deepEqual(new Uint8Array(view.buffer), hex('04d2 0035 0008 0001'))
})

describe('VLAN tags', () => {
  const original = buildUdp({
    destination: 0x020000000001,
    source: 0x020000000002,
    sourceIp: '10.0.0.1',
    destinationIp: '10.0.0.2',
    sourcePort: 1,
    destinationPort: 2,
  })
  const frames = () => {
    const memory = new Uint8Array(1024).fill(0xee)
    memory.set(original, 128)
    return {
      memory,
      view: new DataView(memory.buffer),
      offset: Uint32Array.of(0, 128),
      length: Uint32Array.of(0, original.length),
    }
  }
  const bytesOf = ({ memory, offset, length }: ReturnType<typeof frames>) => {
    const at = offset[1] as number
    return memory.slice(at, at + (length[1] as number))
  }

  test('are pushed and popped in place', () => {
    const burst = frames()
    assert.ok(vlan.push(burst, 1, vlan.makeTci(100, 5, true)))
    assert.ok(vlan.push(burst, 1, vlan.makeTci(200), ethernet.EtherType.serviceVlan))
    const ends = original.slice(0, 12)
    assert.deepEqual(
      bytesOf(burst),
      Uint8Array.from([...ends, ...hex('88a8 00c8 8100 b064'), ...original.slice(12)]),
    )
    assert.equal(burst.offset[1], 120)
    assert.deepEqual(burst.memory.subarray(0, 120), new Uint8Array(120).fill(0xee))
    assert.ok(vlan.pop(burst, 1) && vlan.pop(burst, 1))
    assert.deepEqual(bytesOf(burst), original)
    assert.ok(!vlan.pop(burst, 1))
    assert.equal(burst.offset[1], 128)
  })

  test('are not pushed onto, or popped off, what is too short', () => {
    const burst = frames()
    burst.length[1] = 13
    assert.ok(!vlan.push(burst, 1, 1))
    burst.length[1] = 14
    assert.ok(vlan.push(burst, 1, 1))
    burst.length[1] = 17
    assert.ok(!vlan.pop(burst, 1))
    burst.offset[1] = 3
    burst.length[1] = 60
    assert.ok(!vlan.push(burst, 1, 1))
  })

  test('are changed', () => {
    const view = viewOf(hex('8100 b064'))
    vlan.setVid(view, 0, 0xfff)
    assert.deepEqual([vlan.vid(view, 0), vlan.pcp(view, 0), vlan.dei(view, 0)], [4095, 5, true])
    vlan.setPcp(view, 0, 2)
    assert.equal(vlan.tci(view, 0), 0x5fff)
    vlan.setTci(view, 0, 7)
    assert.equal(view.getUint32(0), 0x81000007)
    assert.ok(vlan.isTag(0x8100) && vlan.isTag(0x88a8) && !vlan.isTag(0x0800))
  })
})
