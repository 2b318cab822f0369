import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import {
  buildArpReply,
  buildArpRequest,
  buildEcho,
  buildEthernet,
  buildIp,
  buildTcp,
  buildUdp,
} from '../../src/headers/build.js'
import { arp, parseIpv4, tcp } from '../../src/headers/index.js'
import { hex, slowSum, viewOf } from './reference.js'

const macs = { destination: '02:00:00:00:00:02', source: '02:00:00:00:00:01' }
const v4 = { ...macs, sourceIp: '192.0.2.1', destinationIp: '198.51.100.2' }
const v6 = { ...macs, sourceIp: '2001:db8::1', destinationIp: '2001:db8::2' }
const ports = { sourcePort: 4321, destinationPort: 9999 }

describe('whole frames', () => {
  test('an ARP request and its reply', () => {
    const fields = { senderMac: macs.source, senderIp: '10.0.0.1', targetIp: '10.0.0.2' }
    assert.deepEqual(
      buildArpRequest({ ...fields, minLength: 60 }).subarray(0, 42),
      hex(
        'ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002',
      ),
    )
    const reply = buildArpReply({ ...fields, targetMac: macs.destination, vlans: [9] })
    assert.deepEqual(
      reply,
      hex(
        '020000000002 020000000001 8100 0009 0806 0001 0800 06 04 0002 020000000001 0a000001 020000000002 0a000002',
      ),
    )
    assert.equal(arp.targetIpv4(viewOf(reply), 18), parseIpv4('10.0.0.2'))
  })

  test('an empty UDP datagram, its checksums computed by hand', () => {
    // IPv4: 4500+001c+0000+0000+4011+c000+0201+c633+6402 = 2 71 63 -> 7165 -> complement 8e9a
    // UDP: c000+0201+c633+6402+0011+0008 (pseudo header) +10e1+270f+0008 = 2 24 47 -> 2449 -> complement dbb6
    assert.deepEqual(
      buildUdp({ ...v4, ...ports }),
      hex(
        '020000000002 020000000001 0800 4500001c000000004011 8e9a c0000201 c6336402 10e1270f0008 dbb6',
      ),
    )
  })

  test('sums of every kind are 0xffff to the plain implementation', () => {
    const pseudo6 = (frame: Uint8Array, protocol: number) => {
      const length = frame.length - 54
      return Uint8Array.from([
        ...frame.slice(22, 54),
        0,
        0,
        length >> 8,
        length & 0xff,
        0,
        0,
        0,
        protocol,
        ...frame.slice(54),
      ])
    }
    const pseudo4 = (frame: Uint8Array, protocol: number) => {
      const length = frame.length - 34
      return Uint8Array.from([
        ...frame.slice(26, 34),
        0,
        protocol,
        length >> 8,
        length & 0xff,
        ...frame.slice(34),
      ])
    }
    for (const payload of ['', 'a', 'ab', 'x'.repeat(1459)]) {
      assert.equal(slowSum(buildUdp({ ...v4, ...ports, payload }).subarray(14, 34)), 0xffff)
      assert.equal(slowSum(pseudo4(buildUdp({ ...v4, ...ports, payload }), 17)), 0xffff)
      assert.equal(slowSum(pseudo4(buildTcp({ ...v4, ...ports, payload }), 6)), 0xffff)
      assert.equal(slowSum(buildEcho({ ...v4, payload }).subarray(34)), 0xffff)
      assert.equal(slowSum(pseudo6(buildUdp({ ...v6, ...ports, payload }), 17)), 0xffff)
      assert.equal(slowSum(pseudo6(buildTcp({ ...v6, ...ports, payload }), 6)), 0xffff)
      assert.equal(slowSum(pseudo6(buildEcho({ ...v6, payload }), 58)), 0xffff)
    }
  })

  test('what does not fit is refused', () => {
    assert.throws(() => buildTcp({ ...v4, ...ports, tcpOptions: new Uint8Array(3) }), RangeError)
    assert.throws(() => buildUdp({ ...v4, ...ports, options: new Uint8Array(44) }), RangeError)
    assert.throws(() => buildUdp({ ...v4, ...ports, payload: new Uint8Array(65508) }), RangeError)
    assert.throws(() => buildUdp({ ...v4, ...ports, destination: 'nonsense' }), RangeError)
    assert.throws(() => buildUdp({ ...v4, ...ports, destinationIp: '2001:db8::2' }), RangeError)
  })
})

describe('as tcpdump sees them', () => {
  const frames: [string, Uint8Array, RegExp][] = [
    [
      'UDP over IPv4',
      buildUdp({ ...v4, ...ports, payload: 'odd', ttl: 7, dontFragment: true }),
      /ttl 7, .*flags \[DF\].*udp sum ok/s,
    ],
    [
      'UDP over IPv6',
      buildUdp({ ...v6, ...ports, payload: 'even', vlans: [5] }),
      /vlan 5, .*udp sum ok/s,
    ],
    [
      'TCP over IPv4',
      buildTcp({ ...v4, ...ports, flags: tcp.Flag.syn, tcpOptions: hex('020405b4') }),
      /\(correct\).*mss 1460/s,
    ],
    [
      'TCP over IPv6',
      buildTcp({ ...v6, ...ports, payload: 'abc', sequence: 9 }),
      /\(correct\), seq 9:12/,
    ],
    [
      'ICMP',
      buildEcho({ ...v4, payload: 'abc', identifier: 5, sequence: 6 }),
      /ICMP echo request, id 5, seq 6/,
    ],
    [
      'ICMPv6',
      buildEcho({ ...v6, payload: 'abcd', reply: true }),
      /\[icmp6 sum ok\] ICMP6, echo reply/,
    ],
    [
      'ARP',
      buildArpRequest({ senderMac: 1, senderIp: '10.0.0.1', targetIp: '10.0.0.2' }),
      /Request who-has 10\.0\.0\.2 tell 10\.0\.0\.1/,
    ],
    [
      'IP options',
      buildUdp({ ...v4, ...ports, options: hex('01010100') }),
      /options \(NOP,NOP,NOP,EOL\).*udp sum ok/s,
    ],
    ['any protocol', buildIp({ ...v4, protocol: 89, payload: hex('0201002c') }), /proto OSPF/],
    [
      'LLDP',
      buildEthernet({ ...macs, type: 0x88cc, payload: hex('0207 04 020000000001 0000') }),
      /LLDP/,
    ],
  ]
  const tcpdump = spawnSync('tcpdump', ['--version']).status === 0
  for (const [name, frame, wanted] of frames) {
    // A second opinion where there is one; the sums are held against a plain implementation above in any case.
    test(name, { skip: tcpdump ? false : 'tcpdump is not installed' }, () => {
      const seen = spawnSync('tcpdump', ['-nn', '-vv', '-e', '-r', '-'], {
        input: capture(frame),
        encoding: 'utf8',
      })
      assert.match(seen.stdout, wanted)
      assert.doesNotMatch(seen.stdout, /bad|wrong|incorrect|truncated|invalid/)
    })
  }
})

/** A capture file of one frame. */
function capture(frame: Uint8Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(40 + frame.length))
  view.setUint32(0, 0xa1b2c3d4)
  view.setUint16(4, 2)
  view.setUint16(6, 4)
  view.setUint32(16, 65535)
  view.setUint32(20, 1)
  view.setUint32(32, frame.length)
  view.setUint32(36, frame.length)
  const bytes = new Uint8Array(view.buffer)
  bytes.set(frame, 40)
  return bytes
}
