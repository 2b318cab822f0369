import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildArpRequest, buildEcho, buildIp, buildTcp, buildUdp } from '../../src/headers/build.js'
import {
  ABSENT,
  arp,
  EtherType,
  ethernet,
  Headers,
  icmp,
  icmpv6,
  ipv4,
  ipv6,
  Protocol,
  tcp,
  transportChecksumOffset,
  udp,
  verifyIpv4Checksum,
  verifyTransportChecksum,
  vlan,
} from '../../src/headers/index.js'
import { GuardedView } from './guarded-view.js'
import { Random, seeds } from './random.js'
import { hex } from './reference.js'

const macs = { destination: '02:00:00:00:00:02', source: '02:00:00:00:00:01' }
const v4 = { ...macs, sourceIp: '192.0.2.1', destinationIp: '198.51.100.2' }
const v6 = { ...macs, sourceIp: '2001:db8::1', destinationIp: '2001:db8::2' }
const ports = { sourcePort: 1234, destinationPort: 53 }

/** Calls every accessor that may be called after `parse`. */
function readAll(view: DataView, headers: Headers): void {
  const { l2, l3, l4, end } = headers
  if (l2 >= 0) {
    for (const read of [
      ethernet.destination,
      ethernet.source,
      ethernet.type,
      ethernet.isBroadcast,
      ethernet.isMulticast,
    ])
      read(view, l2)
    for (let tag = 0; tag < headers.tags; tag++) vlan.tci(view, l2 + 12 + 4 * tag)
  }
  if (l3 >= 0 && headers.etherType === EtherType.arp) arp.targetIpv4(view, l3)
  if (l3 >= 0 && headers.etherType === EtherType.ipv4) {
    ipv4.destination(view, l3)
    verifyIpv4Checksum(view, l3)
  }
  if (l3 >= 0 && headers.etherType === EtherType.ipv6) ipv6.destinationWord(view, l3, 3)
  verifyTransportChecksum(view, headers)
  if (l4 < 0) return
  if (transportChecksumOffset(headers) >= 0) view.getUint16(transportChecksumOffset(headers))
  switch (headers.protocol) {
    case Protocol.tcp:
      tcp.urgentPointer(view, l4)
      tcp.maximumSegmentSize(view, l4)
      tcp.option(view, l4, 254)
      break
    case Protocol.udp:
      udp.checksum(view, l4)
      break
    case Protocol.icmp:
      icmp.sequence(view, l4)
      break
    case Protocol.icmpv6: {
      icmpv6.sequence(view, l4)
      const target = icmpv6.neighbourTarget(view, l4, end)
      if (target >= 0) view.getUint32(target + 12)
      const option = icmpv6.option(view, l4, end, 1)
      if (option >= 0) icmpv6.optionMac(view, option)
    }
  }
}

describe('whatever a frame holds, nothing outside of it is read', () => {
  const solicitation = new Uint8Array(32)
  solicitation.set([135, 0])
  solicitation.set([1, 1, 2, 0, 0, 0, 0, 9], 24)
  const destinationOptions = new Uint8Array(40)
  destinationOptions.set([Protocol.tcp, 1])
  destinationOptions[16 + 12] = 0x60
  const frames = [
    buildTcp({ ...v4, ...ports, tcpOptions: hex('020405b4 01010402'), payload: 'abc', vlans: [1] }),
    buildUdp({ ...v4, ...ports, options: new Uint8Array(12).fill(1), payload: 'abcd' }),
    buildUdp({ ...v6, ...ports, payload: 'abc', minLength: 80 }),
    buildIp({ ...v6, protocol: Protocol.icmpv6, payload: solicitation }),
    buildIp({ ...v6, protocol: ipv6.Extension.destination, payload: destinationOptions }),
    buildEcho({ ...v4 }),
    buildArpRequest({ senderMac: 1, senderIp: '10.0.0.1', targetIp: '10.0.0.2', vlans: [1, 2] }),
  ]
  const headers = new Headers()
  const check = (frame: Uint8Array, length: number) => {
    const memory = new Uint8Array(512).fill(0x45)
    const start = 64
    memory.set(frame, start)
    const view = new GuardedView(memory.buffer, start, length)
    headers.parseAt(view, start, length)
    assert.ok(headers.end <= start + length)
    for (const at of [headers.l2, headers.l3, headers.l4, headers.payload]) {
      assert.ok(at === ABSENT || (at >= start && at <= headers.end), `${at}`)
    }
    readAll(view, headers)
  }

  test('with every frame cut off at every length', () => {
    for (const frame of frames)
      for (let length = 0; length <= frame.length; length++) check(frame, length)
  })

  for (const seed of seeds()) {
    test(`with bytes changed at random, seed ${seed}`, () => {
      const random = new Random(seed)
      for (let i = 0; i < 30_000; i++) {
        const frame = random.pick(frames).slice()
        for (let n = random.between(1, 4); n > 0; n--)
          frame[random.between(12, frame.length - 1)] = random.below(256)
        check(frame, random.below(4) === 0 ? random.below(frame.length + 1) : frame.length)
      }
    })

    test(`with random bytes behind a known type, seed ${seed}`, () => {
      const random = new Random(seed)
      for (let i = 0; i < 30_000; i++) {
        const frame = random.bytes(random.between(0, 128))
        if (frame.length > 20) {
          const type = random.pick([0x0800, 0x86dd, 0x0806, 0x8100])
          frame.set([type >> 8, type & 0xff, type === 0x0800 ? 0x45 : 0x60], 12)
        }
        check(frame, frame.length)
      }
    })
  }

  test('an accessor that is given an absent header throws', () => {
    const view = new DataView(new ArrayBuffer(4096))
    for (const read of [
      ethernet.destination,
      ipv4.ttl,
      ipv4.destination,
      tcp.urgentPointer,
      udp.checksum,
      arp.targetIpv4,
      icmp.type,
    ]) {
      assert.throws(() => read(view, ABSENT), RangeError)
    }
    assert.throws(() => ipv6.destinationWord(view, ABSENT, 3), RangeError)
    assert.throws(() => tcp.option(view, ABSENT, 2), RangeError)
    assert.throws(() => verifyIpv4Checksum(view, ABSENT), RangeError)
  })
})
