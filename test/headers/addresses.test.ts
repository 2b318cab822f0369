import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  BROADCAST_MAC,
  copyMac,
  formatIpv4,
  formatIpv6,
  formatMac,
  isBroadcastMac,
  isLocalMac,
  isMulticastMac,
  macOctet,
  parseIpv4,
  parseIpv6,
  parseMac,
  readMac,
  writeMac,
} from '../../src/headers/index.js'
import { Random, seeds } from './random.js'
import { hex, viewOf } from './reference.js'

describe('MAC addresses', () => {
  test('are numbers with the first octet highest', () => {
    assert.equal(parseMac('02:00:00:00:00:01'), 0x020000000001)
    assert.equal(parseMac('FF-FF-FF-FF-FF-FF'), BROADCAST_MAC)
    assert.equal(formatMac(0x0123456789ab), '01:23:45:67:89:ab')
    assert.equal(formatMac(0), '00:00:00:00:00:00')
    assert.equal(macOctet(0x0123456789ab, 0), 0x01)
    assert.equal(macOctet(0x0123456789ab, 5), 0xab)
  })

  for (const text of [
    '',
    '02:00:00:00:00',
    '02:00:00:00:00:00:00',
    '2:0:0:0:0:1',
    '02:00-00:00:00:01',
    '0g:00:00:00:00:00',
  ]) {
    test(`"${text}" is refused`, () => assert.throws(() => parseMac(text), RangeError))
  }

  test('know groups, the broadcast address and local ones', () => {
    for (const [text, group, all, local] of [
      ['00:1b:21:00:00:01', false, false, false],
      ['02:00:00:00:00:01', false, false, true],
      ['01:80:c2:00:00:00', true, false, false],
      ['33:33:00:00:00:01', true, false, true],
      ['ff:ff:ff:ff:ff:ff', true, true, true],
      ['fe:ff:ff:ff:ff:ff', false, false, true],
    ] as const) {
      const mac = parseMac(text)
      assert.deepEqual(
        [isMulticastMac(mac), isBroadcastMac(mac), isLocalMac(mac)],
        [group, all, local],
        text,
      )
    }
  })

  for (const seed of seeds()) {
    test(`survive memory and text, seed ${seed}`, () => {
      const random = new Random(seed)
      const view = new DataView(new ArrayBuffer(32))
      for (let i = 0; i < 1000; i++) {
        const mac = random.below(2 ** 24) * 2 ** 24 + random.below(2 ** 24)
        writeMac(view, 3, mac)
        assert.equal(readMac(view, 3), mac)
        assert.equal(parseMac(formatMac(mac)), mac)
        copyMac(view, 3, 6)
        assert.equal(readMac(view, 6), mac)
      }
    })
  }
})

describe('IPv4 addresses', () => {
  test('are numbers with the first octet highest', () => {
    assert.equal(parseIpv4('10.0.0.1'), 0x0a000001)
    assert.equal(parseIpv4('255.255.255.255'), 0xffffffff)
    assert.equal(formatIpv4(0xc0a800c7), '192.168.0.199')
    assert.equal(formatIpv4(parseIpv4('255.254.0.1')), '255.254.0.1')
  })

  for (const text of ['', '10.0.0', '10.0.0.256', '10.0.0.1.2', '010.0.0.1', '::1']) {
    test(`"${text}" is refused`, () => assert.throws(() => parseIpv4(text), RangeError))
  }
})

describe('IPv6 addresses', () => {
  test('in every form of RFC 4291, written as RFC 5952 says', () => {
    for (const [text, bytes, written] of [
      ['::', '00000000000000000000000000000000', '::'],
      ['::1', '00000000000000000000000000000001', '::1'],
      ['1::', '00010000000000000000000000000000', '1::'],
      [
        '2001:DB8::8:800:200C:417A',
        '20010db80000000000080800200c417a',
        '2001:db8::8:800:200c:417a',
      ],
      ['FF01:0:0:0:0:0:0:101', 'ff010000000000000000000000000101', 'ff01::101'],
      ['2001:db8:0:1:1:1:1:1', '20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
      ['2001:0:0:1:0:0:0:1', '20010000000000010000000000000001', '2001:0:0:1::1'],
      ['2001:db8:0:0:1:0:0:1', '20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
      ['::ffff:129.144.52.38', '00000000000000000000ffff81903426', '::ffff:129.144.52.38'],
      ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221', '64:ff9b::c000:221'],
    ] as const) {
      assert.deepEqual(parseIpv6(text), hex(bytes), text)
      assert.equal(formatIpv6(hex(bytes)), written)
    }
  })

  for (const text of [
    '',
    ':',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    'fe80::1%eth0',
    '12345::',
    '10.0.0.1',
  ]) {
    test(`"${text}" is refused`, () => assert.throws(() => parseIpv6(text), RangeError))
  }

  test('are read in the middle of memory', () => {
    const memory = new Uint8Array(40)
    memory.set(parseIpv6('fd00::abcd'), 11)
    assert.equal(formatIpv6(memory, 11), 'fd00::abcd')
    assert.equal(viewOf(memory).getUint16(25), 0xabcd)
  })
})
