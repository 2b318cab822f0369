import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildEcho, buildTcp, buildUdp } from '../../src/headers/build.js'
import {
  fillIpv4Checksum,
  fillTransportChecksum,
  Headers,
  internetChecksum,
  internetSum,
  ipv4,
  parseIpv4,
  replace16,
  replace32,
  rewriteDestinationPort,
  rewriteIpv4Destination,
  rewriteIpv4Source,
  rewriteSourcePort,
  tcp,
  udp,
  update16,
  update32,
  verifyIpv4Checksum,
  verifyTransportChecksum,
} from '../../src/headers/index.js'
import { Random, seeds } from './random.js'
import { hex, slowSum, viewOf } from './reference.js'

const ends = {
  destination: '02:00:00:00:00:02',
  source: '02:00:00:00:00:01',
  sourceIp: '192.0.2.1',
  destinationIp: '198.51.100.2',
}
const ends6 = { ...ends, sourceIp: '2001:db8::1', destinationIp: '2001:db8::2' }

function parsed(frame: Uint8Array): { view: DataView; headers: Headers } {
  const headers = new Headers()
  assert.ok(headers.parseAt(viewOf(frame), 0, frame.length), `error ${headers.error}`)
  return { view: viewOf(frame), headers }
}

describe('the internet checksum', () => {
  test('of the example in RFC 1071, section 3', () => {
    const bytes = hex('0001 f203 f4f5 f6f7')
    assert.equal(internetSum(viewOf(bytes), 0, 8), 0xddf2)
    assert.equal(internetChecksum(viewOf(bytes), 0, 8), 0x220d)
  })

  test('of an IPv4 header', () => {
    const bytes = hex('45000073000040004011b861c0a80001c0a800c7')
    assert.ok(verifyIpv4Checksum(viewOf(bytes), 0))
    bytes[10] = bytes[11] = 0x55
    assert.ok(!verifyIpv4Checksum(viewOf(bytes), 0))
    fillIpv4Checksum(viewOf(bytes), 0)
    assert.equal(ipv4.checksum(viewOf(bytes), 0), 0xb861)
  })

  test('of nothing and of one byte', () => {
    const view = viewOf(hex('ab'))
    assert.equal(internetSum(view, 0, 0), 0)
    assert.equal(internetSum(view, 0, 1), 0xab00)
    assert.equal(internetSum(view, 0, 1, 0xffff), 0xab00)
  })

  test('does not overflow', () => {
    const bytes = new Uint8Array(1 << 20).fill(0xff)
    assert.equal(internetSum(viewOf(bytes), 0, bytes.length), 0xffff)
    assert.equal(internetSum(viewOf(bytes), 1, bytes.length, 0xffff), 0xff00)
  })

  for (const seed of seeds()) {
    test(`is that of the plain implementation, seed ${seed}`, () => {
      const random = new Random(seed)
      for (let i = 0; i < 2000; i++) {
        const bytes = random.bytes(random.below(i < 1900 ? 80 : 2000))
        const start = random.below(bytes.length + 1)
        const end = random.between(start, bytes.length)
        assert.equal(internetSum(viewOf(bytes), start, end), slowSum(bytes.subarray(start, end)))
      }
    })

    test(`goes on from a sum, seed ${seed}`, () => {
      const random = new Random(seed)
      for (let i = 0; i < 500; i++) {
        const bytes = random.bytes(random.below(100))
        const middle = 2 * random.below(Math.floor(bytes.length / 2) + 1)
        const first = internetSum(viewOf(bytes), 0, middle)
        assert.equal(internetSum(viewOf(bytes), middle, bytes.length, first), slowSum(bytes))
      }
    })
  }
})

describe('incremental update', () => {
  test('of the example in RFC 1624, section 4', () => {
    assert.equal(update16(0xdd2f, 0x5555, 0x3285), 0x0000)
  })

  for (const seed of seeds()) {
    test(`is the same as computing anew, seed ${seed}`, () => {
      const random = new Random(seed)
      for (let i = 0; i < 2000; i++) {
        const view = viewOf(random.bytes(20))
        view.setUint16(10, 0)
        view.setUint16(10, internetChecksum(view, 0, 20))
        // A message of zeros has two right checksums; RFC 1624 gives the one a sender would not.
        view.setUint16(0, 0x4500)
        view.setUint16(10, 0)
        view.setUint16(10, internetChecksum(view, 0, 20))
        const before = view.getUint16(10)
        const at = random.pick([2, 4, 6, 8, 12, 14, 16, 18])
        const old = view.getUint16(at)
        const value = random.pick([0, 0xffff, random.below(0x10000)])
        assert.equal(update16(before, old, value), update32(before, old, value))
        replace16(view, at, value, 10)
        assert.equal(view.getUint16(at), value)
        assert.equal(internetSum(view, 0, 20), 0xffff)
        replace32(view, 12, random.below(2 ** 32), 10)
        const updated = view.getUint16(10)
        view.setUint16(10, 0)
        assert.equal(updated, internetChecksum(view, 0, 20))
      }
    })
  }
})

describe('transport checksums', () => {
  const frames = {
    'TCP over IPv4': () => buildTcp({ ...ends, sourcePort: 1, destinationPort: 2, payload: 'odd' }),
    'UDP over IPv4': () =>
      buildUdp({ ...ends, sourcePort: 1, destinationPort: 2, payload: 'even' }),
    'UDP over IPv4, padded': () =>
      buildUdp({ ...ends, sourcePort: 1, destinationPort: 2, payload: 'x', minLength: 60 }),
    ICMP: () => buildEcho({ ...ends, payload: 'abc' }),
    'TCP over IPv6': () =>
      buildTcp({ ...ends6, sourcePort: 1, destinationPort: 2, payload: 'odd' }),
    'UDP over IPv6': () =>
      buildUdp({ ...ends6, sourcePort: 1, destinationPort: 2, payload: 'even' }),
    ICMPv6: () => buildEcho({ ...ends6, payload: 'abc' }),
  }
  for (const [name, build] of Object.entries(frames)) {
    test(`${name}: right as built, wrong with any bit turned, right again when filled`, () => {
      const frame = build()
      const { view, headers } = parsed(frame)
      assert.ok(verifyTransportChecksum(view, headers))
      for (let at = headers.l4; at < headers.end; at++) {
        // The length of UDP decides what is covered and the offset of TCP where data starts: those are for the parser.
        if (headers.protocol === 17 && (at === headers.l4 + 4 || at === headers.l4 + 5)) continue
        frame[at] = (frame[at] as number) ^ 0x10
        assert.ok(!verifyTransportChecksum(view, headers), `byte ${at}`)
        frame[at] = (frame[at] as number) ^ 0x10
      }
      const copy = frame.slice()
      assert.ok(fillTransportChecksum(view, headers))
      assert.deepEqual(frame, copy)
    })
  }

  test('UDP without a checksum is right over IPv4 and wrong over IPv6', () => {
    for (const [fields, right] of [
      [ends, true],
      [ends6, false],
    ] as const) {
      const { view, headers } = parsed(buildUdp({ ...fields, sourcePort: 1, destinationPort: 2 }))
      udp.setChecksum(view, headers.l4, 0)
      assert.equal(verifyTransportChecksum(view, headers), right)
    }
  })

  test('UDP never sends 0', () => {
    const { view, headers } = parsed(
      buildUdp({ ...ends, sourcePort: 0, destinationPort: 0, payload: '\0\0' }),
    )
    const data = headers.payload
    // Chosen so that the sum becomes 0xffff.
    view.setUint16(data, udp.checksum(view, headers.l4))
    fillTransportChecksum(view, headers)
    assert.equal(udp.checksum(view, headers.l4), 0xffff)
    assert.ok(verifyTransportChecksum(view, headers))
  })

  test('fragments and other protocols are let be', () => {
    const frame = buildUdp({ ...ends, sourcePort: 1, destinationPort: 2, payload: 'abcdefgh' })
    viewOf(frame).setUint16(14 + 6, 0x2000)
    const { view, headers } = parsed(frame)
    const before = frame.slice()
    assert.ok(!fillTransportChecksum(view, headers))
    assert.deepEqual(frame, before)
    assert.ok(verifyTransportChecksum(view, headers))
  })
})

describe('rewriting addresses and ports', () => {
  for (const seed of seeds()) {
    test(`leaves every checksum right, seed ${seed}`, () => {
      const random = new Random(seed)
      for (let i = 0; i < 500; i++) {
        const fields = {
          ...ends,
          sourcePort: random.below(65536),
          destinationPort: random.below(65536),
        }
        const payload = random.bytes(random.below(40))
        const kind = random.below(3)
        const frame =
          kind === 0
            ? buildTcp({ ...fields, payload, vlans: [7] })
            : kind === 1
              ? buildUdp({ ...fields, payload })
              : buildEcho({ ...ends, payload })
        const { view, headers } = parsed(frame)
        const [a, b] = [random.below(2 ** 32), random.below(2 ** 32)]
        assert.ok(rewriteIpv4Source(view, headers, a) && rewriteIpv4Destination(view, headers, b))
        const [p, q] = [random.below(65536), random.pick([0, 0xffff, random.below(65536)])]
        assert.equal(rewriteSourcePort(view, headers, p), kind !== 2)
        assert.equal(rewriteDestinationPort(view, headers, q), kind !== 2)
        assert.deepEqual(
          [ipv4.source(view, headers.l3), ipv4.destination(view, headers.l3)],
          [a, b],
        )
        if (kind !== 2) {
          assert.deepEqual(
            [udp.sourcePort(view, headers.l4), udp.destinationPort(view, headers.l4)],
            [p, q],
          )
        }
        assert.ok(verifyIpv4Checksum(view, headers.l3) && verifyTransportChecksum(view, headers))
      }
    })
  }

  test('a UDP datagram without a checksum stays without', () => {
    const { view, headers } = parsed(buildUdp({ ...ends, sourcePort: 1, destinationPort: 2 }))
    udp.setChecksum(view, headers.l4, 0)
    rewriteIpv4Source(view, headers, parseIpv4('10.9.8.7'))
    rewriteSourcePort(view, headers, 99)
    assert.equal(udp.checksum(view, headers.l4), 0)
  })

  test('a UDP datagram with a checksum never gets 0', () => {
    const { view, headers } = parsed(buildUdp({ ...ends, sourcePort: 0x1234, destinationPort: 2 }))
    // The port that takes up all that is missing to a sum of 0xffff.
    const port = (0x1234 + udp.checksum(view, headers.l4)) % 0xffff
    rewriteSourcePort(view, headers, port)
    assert.equal(udp.checksum(view, headers.l4), 0xffff)
    assert.ok(verifyTransportChecksum(view, headers))
  })

  test('a first fragment keeps the checksum of the whole datagram right', () => {
    const whole = buildTcp({ ...ends, sourcePort: 1, destinationPort: 2, payload: 'x'.repeat(40) })
    const first = whole.slice()
    viewOf(first).setUint16(14 + 2, 20 + 24)
    viewOf(first).setUint16(14 + 6, 0x2000)
    for (const frame of [whole, first]) {
      const { view, headers } = parsed(frame)
      rewriteIpv4Destination(view, headers, 0x01020304)
      rewriteDestinationPort(view, headers, 81)
    }
    assert.equal(tcp.checksum(viewOf(first), 34), tcp.checksum(viewOf(whole), 34))
    const { view, headers } = parsed(whole)
    assert.ok(verifyTransportChecksum(view, headers))
  })

  test('other packets are refused', () => {
    const { view, headers } = parsed(buildUdp({ ...ends6, sourcePort: 1, destinationPort: 2 }))
    assert.ok(!rewriteIpv4Source(view, headers, 1))
    headers.parseAt(view, 0, 13)
    assert.ok(!rewriteIpv4Source(view, headers, 1) && !rewriteSourcePort(view, headers, 1))
  })
})
