import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  buildArpReply,
  buildArpRequest,
  buildEcho,
  buildEthernet,
  buildIp,
  buildTcp,
  buildUdp,
} from '../../../src/headers/build.js'
import {
  EtherType,
  Protocol,
  parseIpv4,
  parseIpv6,
  parseMac,
  writeMac,
} from '../../../src/headers/index.js'
import { type Frames, frameLoops } from '../../../src/switch/guards/frame-loops.js'
import { PortSecurity } from '../../../src/switch/guards/port-security.js'
import type { AllowedAddress } from '../../../src/switch/spec.js'
import { Random, seeds } from '../../headers/random.js'

const MAC = 'fa:16:3e:00:00:01'
const OTHER = 'fa:16:3e:00:00:02'
const V6 = '2001:db8::1'
/** fe80::/64 and the modified EUI-64 of MAC. */
const LINK_LOCAL = 'fe80::f816:3eff:fe00:1'

const to = { source: MAC, destination: OTHER }
const broadcast = { source: MAC, destination: 'ff:ff:ff:ff:ff:ff' }

function framesAt(
  view: DataView,
  offsets: readonly number[],
  frames: readonly Uint8Array[],
): Frames {
  return {
    view,
    offset: Uint32Array.from(offsets),
    length: Uint32Array.from(frames, (frame) => frame.length),
    outPort: new Int32Array(frames.length),
  }
}

function allowedFirst(security: PortSecurity, frames: Frames, count: number): number {
  return security.allowedFirst(frames, frameLoops(frames), 0, count)
}

function allows(security: PortSecurity, frame: Uint8Array): boolean {
  // With other bytes around it, which are not to be looked at.
  const bytes = new Uint8Array(frame.length + 200).fill(0x11)
  bytes.set(frame, 100)
  const view = new DataView(bytes.buffer)
  const frames = framesAt(view, [100], [frame])
  const allowed = security.allows(frames, 0)
  // The first time and, with its source remembered, again.
  for (const _ of [1, 2]) assert.equal(allowedFirst(security, frames, 1), allowed ? 1 : 0)
  return allowed
}

const udp4 = (fields: Partial<Parameters<typeof buildUdp>[0]> = {}) =>
  buildUdp({
    ...to,
    sourceIp: '10.0.0.1',
    destinationIp: '10.0.0.2',
    sourcePort: 1000,
    destinationPort: 2000,
    ...fields,
  })
const udp6 = (fields: Partial<Parameters<typeof buildUdp>[0]> = {}) =>
  udp4({ sourceIp: V6, destinationIp: '2001:db8::2', ...fields })
const arpRequest = (senderIp: string, senderMac = MAC) =>
  buildArpRequest({ senderMac, senderIp, targetIp: '10.0.0.2' })

/** The frame with other bytes at some places, checksums left as they are. */
function changed(frame: Uint8Array, changes: Record<number, number>): Uint8Array {
  const copy = frame.slice()
  for (const [at, byte] of Object.entries(changes)) copy[Number(at)] = byte
  return copy
}

const DHCP_DISCOVER = {
  ...broadcast,
  sourceIp: '0.0.0.0',
  destinationIp: '255.255.255.255',
  sourcePort: 68,
  destinationPort: 67,
}

const linkLayer = (kind: number, mac: string) => {
  const option = new Uint8Array(8)
  option.set([kind, 1])
  writeMac(new DataView(option.buffer), 2, parseMac(mac))
  return [...option]
}
const SOURCE = 1
const TARGET = 2

/** An ICMPv6 message, through extension headers if any are given as `[protocol of what comes first, bytes]`. */
function icmp6(
  message: readonly number[],
  fields: { sourceIp?: string; source?: string; vlans?: number[] } = {},
  extension?: readonly [protocol: number, bytes: readonly number[]],
): Uint8Array {
  const [protocol, before] = extension ?? [Protocol.icmpv6, []]
  const payload = Uint8Array.from([...before, ...message])
  return buildIp({
    ...to,
    sourceIp: V6,
    destinationIp: 'ff02::1',
    ttl: 255,
    ...fields,
    protocol,
    payload,
  })
}
const neighbour = (type: number, target: string, options: readonly number[] = []) => [
  type,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  ...parseIpv6(target),
  ...options,
]
const [RS, RA, NS, NA, REDIRECT] = [133, 134, 135, 136, 137] as const
const ROUTER_SOLICITATION = [RS, 0, 0, 0, 0, 0, 0, 0]
const ROUTER_ADVERTISEMENT = [RA, 0, 0, 0, 64, 0, 7, 8, ...Array(8).fill(0)]
const MLD_REPORT = [143, 0, 0, 0, 0, 0, 0, 0]
const fragment = (next: number, field: number) =>
  [44, [next, 0, field >> 8, field & 255, 0, 0, 0, 1]] as const

const dual: AllowedAddress[] = [{ mac: MAC, ips: ['10.0.0.1', V6] }]
const anyIp: AllowedAddress[] = [{ mac: MAC, ips: [] }]
const onlyV4: AllowedAddress[] = [{ mac: MAC, ips: ['10.0.0.1'] }]
const onlyV6: AllowedAddress[] = [{ mac: MAC, ips: [V6] }]

type Case = [name: string, allowed: boolean, frame: Uint8Array, of?: AllowedAddress[]]

const tables: Record<string, Case[]> = {
  'source MAC': [
    ['its own', true, udp4()],
    ['its own, in lower and upper case', true, udp4({ source: 'FA:16:3E:00:00:01' })],
    ['of somebody else', false, udp4({ source: OTHER })],
    ['of somebody else, any IP', false, udp4({ source: OTHER }), anyIp],
    ['a group', false, udp4({ source: 'fb:16:3e:00:00:01' }), anyIp],
    ['nobody is listed', false, udp4(), []],
    ['zero, nobody is listed', false, udp4({ source: 0 }), []],
    ['below 14 bytes', false, udp4().subarray(0, 13), anyIp],
    ['of the second listed', true, udp4({ source: OTHER }), [...onlyV6, { mac: OTHER, ips: [] }]],
  ],
  IPv4: [
    ['its own', true, udp4()],
    ['of somebody else', false, udp4({ sourceIp: '10.0.0.3' })],
    [
      'of another MAC that is listed',
      false,
      udp4({ sourceIp: '10.0.0.9' }),
      [...dual, { mac: OTHER, ips: ['10.0.0.9'] }],
    ],
    [
      'of a later entry of the same MAC',
      true,
      udp4({ sourceIp: '10.0.0.9' }),
      [...dual, { mac: MAC, ips: ['10.0.0.9'] }],
    ],
    [
      'any, by a later entry of the same MAC',
      true,
      udp4({ sourceIp: '7.7.7.7' }),
      [...dual, ...anyIp],
    ],
    [
      'any, by an earlier entry of the same MAC',
      true,
      udp4({ sourceIp: '7.7.7.7' }),
      [...anyIp, ...dual],
    ],
    ['any', true, udp4({ sourceIp: '7.7.7.7' }), anyIp],
    ['none listed but IPv6', false, udp4(), onlyV6],
    ['in a prefix', true, udp4({ sourceIp: '10.0.0.255' }), [{ mac: MAC, ips: ['10.0.0.0/24'] }]],
    [
      'beside a prefix',
      false,
      udp4({ sourceIp: '10.0.1.0' }),
      [{ mac: MAC, ips: ['10.0.0.0/24'] }],
    ],
    [
      'below a prefix of the upper half',
      false,
      udp4({ sourceIp: '192.167.255.255' }),
      [{ mac: MAC, ips: ['192.168.0.0/16'] }],
    ],
    [
      'in a prefix of the upper half',
      true,
      udp4({ sourceIp: '192.168.3.4' }),
      [{ mac: MAC, ips: ['192.168.0.0/16'] }],
    ],
    ['in 0.0.0.0/0', true, udp4({ sourceIp: '203.0.113.7' }), [{ mac: MAC, ips: ['0.0.0.0/0'] }]],
    ['the address of address/length', true, udp4(), [{ mac: MAC, ips: ['10.0.0.1/24'] }]],
    [
      'another of address/length',
      false,
      udp4({ sourceIp: '10.0.0.5' }),
      [{ mac: MAC, ips: ['10.0.0.1/24'] }],
    ],
    ['with options', true, udp4({ options: new Uint8Array(8).fill(1) })],
    [
      'TCP',
      true,
      buildTcp({
        ...to,
        sourceIp: '10.0.0.1',
        destinationIp: '1.1.1.1',
        sourcePort: 1,
        destinationPort: 2,
      }),
    ],
    ['tagged, its own', true, udp4({ vlans: [7] })],
    ['tagged, of somebody else', false, udp4({ vlans: [7], sourceIp: '10.0.0.3' })],
    ['tagged twice, of somebody else', false, udp4({ vlans: [7, 8], sourceIp: '10.0.0.3' })],
    ['behind three tags', false, udp4({ vlans: [0, 0, 0] })],
    ['behind three tags, any IP', false, udp4({ vlans: [0, 0, 0] }), anyIp],
    ['first fragment, its own', true, changed(udp4(), { 20: 0x20 })],
    ['later fragment, its own', true, changed(udp4(), { 20: 0, 21: 8 })],
    [
      'later fragment, of somebody else',
      false,
      changed(udp4({ sourceIp: '10.0.0.3' }), { 20: 0, 21: 8 }),
    ],
    ['header cut off', false, udp4().subarray(0, 30)],
    ['UDP cut off', false, udp4().subarray(0, 38)],
    ['UDP shorter than its header', false, changed(udp4(), { 39: 7 })],
    ['UDP longer than IP', false, changed(udp4(), { 39: 9 })],
    ['longer than the frame', false, changed(udp4(), { 16: 9 })],
    ['version 6', false, changed(udp4(), { 14: 0x65 })],
    ['header length below 20', false, changed(udp4(), { 14: 0x44 })],
    ['padding behind it', true, udp4({ minLength: 60 })],
  ],
  DHCP: [
    ['discover', true, buildUdp(DHCP_DISCOVER)],
    ['discover, any IP', true, buildUdp(DHCP_DISCOVER), anyIp],
    ['discover, tagged', true, buildUdp({ ...DHCP_DISCOVER, vlans: [3] })],
    ['discover of an IPv6 guest', false, buildUdp(DHCP_DISCOVER), onlyV6],
    [
      'discover with the MAC of somebody else',
      false,
      buildUdp({ ...DHCP_DISCOVER, source: OTHER }),
    ],
    ['0.0.0.0 to one server', false, buildUdp({ ...DHCP_DISCOVER, destinationIp: '10.0.0.2' })],
    ['0.0.0.0 from another port', false, buildUdp({ ...DHCP_DISCOVER, sourcePort: 69 })],
    ['0.0.0.0 to another port', false, buildUdp({ ...DHCP_DISCOVER, destinationPort: 53 })],
    ['0.0.0.0 in TCP', false, buildTcp(DHCP_DISCOVER)],
    ['0.0.0.0 in a later fragment', false, changed(buildUdp(DHCP_DISCOVER), { 20: 0, 21: 8 })],
    ['renewal', true, udp4({ sourcePort: 68, destinationPort: 67 })],
    ['offer', false, udp4({ sourcePort: 67, destinationPort: 68 })],
    ['offer, any IP', false, udp4({ sourcePort: 67, destinationPort: 68 }), anyIp],
    ['offer from another port', false, udp4({ sourcePort: 6767, destinationPort: 68 })],
    ['offer, tagged', false, udp4({ sourcePort: 67, destinationPort: 68, vlans: [3] })],
    [
      'offer in a first fragment',
      false,
      changed(udp4({ sourcePort: 67, destinationPort: 68 }), { 20: 0x20 }),
    ],
    [
      'DHCPv6 solicit',
      true,
      udp6({
        sourceIp: LINK_LOCAL,
        destinationIp: 'ff02::1:2',
        sourcePort: 546,
        destinationPort: 547,
      }),
    ],
    ['DHCPv6 reply', false, udp6({ sourcePort: 547, destinationPort: 546 })],
    ['DHCPv6 reply, any IP', false, udp6({ sourcePort: 547, destinationPort: 546 }), anyIp],
    [
      'TCP to port 68',
      true,
      buildTcp({
        ...to,
        sourceIp: '10.0.0.1',
        destinationIp: '1.1.1.1',
        sourcePort: 67,
        destinationPort: 68,
      }),
    ],
  ],
  ARP: [
    ['request', true, arpRequest('10.0.0.1')],
    [
      'request, tagged',
      true,
      buildArpRequest({ senderMac: MAC, senderIp: '10.0.0.1', targetIp: '10.0.0.2', vlans: [5] }),
    ],
    [
      'reply',
      true,
      buildArpReply({
        senderMac: MAC,
        senderIp: '10.0.0.1',
        targetIp: '10.0.0.2',
        targetMac: OTHER,
      }),
    ],
    ['request for an address of somebody else', false, arpRequest('10.0.0.3')],
    [
      'reply for an address of somebody else',
      false,
      buildArpReply({
        senderMac: MAC,
        senderIp: '10.0.0.3',
        targetIp: '10.0.0.2',
        targetMac: OTHER,
      }),
    ],
    [
      'gratuitous for the gateway',
      false,
      buildArpRequest({ senderMac: MAC, senderIp: '10.0.0.254', targetIp: '10.0.0.254' }),
    ],
    ['sender MAC of somebody else', false, changed(arpRequest('10.0.0.1'), { 27: 2 })],
    [
      'sender MAC of somebody else, any IP',
      false,
      changed(arpRequest('10.0.0.1'), { 27: 2 }),
      anyIp,
    ],
    [
      'sender MAC listed, but not that of the frame',
      false,
      changed(arpRequest('10.0.0.1'), { 27: 2 }),
      [...anyIp, { mac: OTHER, ips: [] }],
    ],
    ['any IP', true, arpRequest('10.0.0.3'), anyIp],
    ['probe', true, arpRequest('0.0.0.0')],
    [
      'reply from 0.0.0.0',
      false,
      buildArpReply({
        senderMac: MAC,
        senderIp: '0.0.0.0',
        targetIp: '10.0.0.2',
        targetMac: OTHER,
      }),
    ],
    ['of an IPv6 guest', false, arpRequest('10.0.0.1'), onlyV6],
    ['probe of an IPv6 guest', false, arpRequest('0.0.0.0'), onlyV6],
    ['cut off', false, arpRequest('10.0.0.1').subarray(0, 41)],
    ['for another network', false, changed(arpRequest('10.0.0.1'), { 15: 6 }), anyIp],
    [
      'RARP as QEMU announces a migrated guest',
      true,
      changed(arpRequest('0.0.0.0'), { 13: 0x35, 12: 0x80, 21: 3 }),
    ],
    [
      'RARP for somebody else',
      false,
      changed(arpRequest('0.0.0.0'), { 13: 0x35, 12: 0x80, 21: 3, 27: 2 }),
    ],
    ['RARP cut off', false, changed(arpRequest('0.0.0.0'), { 13: 0x35, 12: 0x80 }).subarray(0, 40)],
  ],
  IPv6: [
    ['its own', true, udp6()],
    ['of somebody else', false, udp6({ sourceIp: '2001:db8::2' })],
    ['its link-local address', true, udp6({ sourceIp: LINK_LOCAL })],
    [
      'the link-local address of somebody else',
      false,
      udp6({ sourceIp: 'fe80::f816:3eff:fe00:2' }),
    ],
    [
      'its link-local address, where only IPv4 is listed',
      false,
      udp6({ sourceIp: LINK_LOCAL }),
      onlyV4,
    ],
    ['any', true, udp6({ sourceIp: '2001:db8:9::2' }), anyIp],
    [
      'in a prefix',
      true,
      udp6({ sourceIp: '2001:db8:0:5:1:2:3:4' }),
      [{ mac: MAC, ips: ['2001:db8:0:4::/62'] }],
    ],
    [
      'beside a prefix',
      false,
      udp6({ sourceIp: '2001:db8:0:8::' }),
      [{ mac: MAC, ips: ['2001:db8:0:4::/62'] }],
    ],
    ['in ::/0', true, udp6({ sourceIp: 'fd00::1' }), [{ mac: MAC, ips: ['::/0'] }]],
    ['unspecified', false, udp6({ sourceIp: '::' })],
    ['a fragment, its own', true, icmp6([128, 0, 0, 0, 0, 1, 0, 1], {}, fragment(58, 0x101))],
    [
      'a fragment, of somebody else',
      false,
      icmp6([128, 0, 0, 0, 0, 1, 0, 1], { sourceIp: '2001:db8::2' }, fragment(58, 0x101)),
    ],
    ['header cut off', false, udp6().subarray(0, 50)],
    ['echo', true, buildEcho({ ...to, sourceIp: V6, destinationIp: '2001:db8::2' })],
    ['tagged, of somebody else', false, udp6({ sourceIp: '2001:db8::2', vlans: [4] })],
  ],
  'neighbour discovery': [
    ['solicitation', true, icmp6(neighbour(NS, '2001:db8::2', linkLayer(SOURCE, MAC)))],
    [
      'solicitation with the MAC of somebody else',
      false,
      icmp6(neighbour(NS, '2001:db8::2', linkLayer(SOURCE, OTHER))),
    ],
    [
      'the same, any IP',
      false,
      icmp6(neighbour(NS, '2001:db8::2', linkLayer(SOURCE, OTHER))),
      anyIp,
    ],
    [
      'the same, tagged',
      false,
      icmp6(neighbour(NS, '2001:db8::2', linkLayer(SOURCE, OTHER)), { vlans: [9] }),
    ],
    [
      'the same in the second of two options',
      false,
      icmp6(neighbour(NS, '2001:db8::2', [...linkLayer(SOURCE, MAC), ...linkLayer(SOURCE, OTHER)])),
    ],
    [
      'the same behind an unknown option',
      false,
      icmp6(neighbour(NS, '2001:db8::2', [14, 1, 0, 0, 0, 0, 0, 0, ...linkLayer(SOURCE, OTHER)])),
    ],
    [
      'an option without length',
      false,
      icmp6(neighbour(NS, '2001:db8::2', [14, 0, 0, 0, 0, 0, 0, 0])),
    ],
    [
      'an option longer than the message',
      false,
      icmp6(neighbour(NS, '2001:db8::2', [14, 2, 0, 0, 0, 0, 0, 0])),
    ],
    [
      'bytes behind the options',
      false,
      icmp6(neighbour(NS, '2001:db8::2', [...linkLayer(SOURCE, MAC), 0, 0])),
    ],
    ['solicitation without a target', false, icmp6([NS, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])],
    ['duplicate address detection', true, icmp6(neighbour(NS, V6), { sourceIp: '::' })],
    [
      'duplicate address detection of the link-local address',
      true,
      icmp6(neighbour(NS, LINK_LOCAL), { sourceIp: '::' }),
    ],
    [
      'duplicate address detection of an address of somebody else',
      false,
      icmp6(neighbour(NS, '2001:db8::2'), { sourceIp: '::' }),
    ],
    ['advertisement', true, icmp6(neighbour(NA, V6, linkLayer(TARGET, MAC)))],
    [
      'advertisement of the link-local address',
      true,
      icmp6(neighbour(NA, LINK_LOCAL, linkLayer(TARGET, MAC)), { sourceIp: LINK_LOCAL }),
    ],
    [
      'advertisement of an address of somebody else',
      false,
      icmp6(neighbour(NA, '2001:db8::2', linkLayer(TARGET, MAC))),
    ],
    [
      'advertisement with the MAC of somebody else',
      false,
      icmp6(neighbour(NA, V6, linkLayer(TARGET, OTHER))),
    ],
    [
      'advertisement, any IP',
      true,
      icmp6(neighbour(NA, '2001:db8::2', linkLayer(TARGET, MAC))),
      anyIp,
    ],
    [
      'advertisement, any IP, with the MAC of somebody else',
      false,
      icmp6(neighbour(NA, '2001:db8::2', linkLayer(TARGET, OTHER))),
      anyIp,
    ],
    ['advertisement from ::', false, icmp6(neighbour(NA, V6), { sourceIp: '::' })],
    [
      'advertisement in a fragment',
      false,
      icmp6(neighbour(NA, V6, linkLayer(TARGET, MAC)), {}, fragment(58, 1)),
    ],
    [
      'advertisement behind an extension header',
      true,
      icmp6(neighbour(NA, V6), {}, [60, [58, 0, 1, 4, 0, 0, 0, 0]]),
    ],
    [
      'advertisement of somebody else behind one',
      false,
      icmp6(neighbour(NA, '2001:db8::2'), {}, [60, [58, 0, 1, 4, 0, 0, 0, 0]]),
    ],
    ['router solicitation', true, icmp6(ROUTER_SOLICITATION, { sourceIp: LINK_LOCAL })],
    ['router solicitation from ::', true, icmp6(ROUTER_SOLICITATION, { sourceIp: '::' })],
    [
      'router solicitation with the MAC of somebody else',
      false,
      icmp6([...ROUTER_SOLICITATION, ...linkLayer(SOURCE, OTHER)]),
    ],
    [
      'listener report from ::',
      true,
      icmp6(MLD_REPORT, { sourceIp: '::' }, [0, [58, 0, 5, 2, 0, 0, 1, 0]]),
    ],
    ['echo request from ::', false, icmp6([128, 0, 0, 0, 0, 1, 0, 1], { sourceIp: '::' })],
    ['router advertisement', false, icmp6(ROUTER_ADVERTISEMENT, { sourceIp: LINK_LOCAL })],
    ['router advertisement, any IP', false, icmp6(ROUTER_ADVERTISEMENT), anyIp],
    ['router advertisement, tagged', false, icmp6(ROUTER_ADVERTISEMENT, { vlans: [9] }), anyIp],
    [
      'router advertisement behind an extension header',
      false,
      icmp6(ROUTER_ADVERTISEMENT, {}, [60, [58, 0, 1, 4, 0, 0, 0, 0]]),
      anyIp,
    ],
    [
      'router advertisement behind nine of them',
      false,
      icmp6(ROUTER_ADVERTISEMENT, {}, [
        60,
        Array.from({ length: 9 }, (_, i) => [i === 8 ? 58 : 60, 0, 1, 4, 0, 0, 0, 0]).flat(),
      ]),
      anyIp,
    ],
    [
      'router advertisement in a fragment',
      false,
      icmp6(ROUTER_ADVERTISEMENT, {}, fragment(58, 1)),
      anyIp,
    ],
    [
      'first fragment that ends before the message',
      false,
      icmp6([58, 0, 1, 4, 0, 0, 0, 0], {}, fragment(60, 1)),
      anyIp,
    ],
    [
      'redirect',
      false,
      icmp6(neighbour(REDIRECT, V6, Array(16).fill(0)), { sourceIp: LINK_LOCAL }),
    ],
  ],
  'other protocols': [
    ['LLDP', true, buildEthernet({ ...to, type: EtherType.lldp, payload: 'x' })],
    [
      'LLDP from the MAC of somebody else',
      false,
      buildEthernet({ ...to, source: OTHER, type: EtherType.lldp }),
    ],
    [
      'spanning tree',
      true,
      buildEthernet({ ...to, type: 38, payload: Uint8Array.of(0x42, 0x42, 3, 0, 0) }),
    ],
    [
      'SNAP',
      false,
      buildEthernet({ ...to, type: 38, payload: Uint8Array.of(0xaa, 0xaa, 3, 0, 0, 0, 8, 0) }),
    ],
    [
      'SNAP, any IP',
      false,
      buildEthernet({ ...to, type: 38, payload: Uint8Array.of(0xaa, 0xaa, 3, 0, 0, 0, 8, 0) }),
      anyIp,
    ],
    [
      'SNAP to the group',
      false,
      buildEthernet({ ...to, type: 38, payload: Uint8Array.of(0xab, 0xaa, 3, 0, 0, 0, 8, 0) }),
    ],
    [
      'a tag cut off',
      false,
      buildEthernet({ ...to, type: 0x8100, payload: Uint8Array.of(0) }),
      anyIp,
    ],
  ],
}

for (const [subject, cases] of Object.entries(tables)) {
  describe(`port security: ${subject}`, () => {
    for (const [name, allowed, frame, of = dual] of cases) {
      test(`${name}: ${allowed ? 'passes' : 'refused'}`, () => {
        assert.equal(allows(new PortSecurity(of), frame), allowed)
      })
    }
  })
}

describe('port security takes', () => {
  for (const bad of [
    '10.0.0',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '::/129',
    'fe80::1%eth0',
    '10.0.0.0/-1',
    '',
  ]) {
    test(`no address ${JSON.stringify(bad)}`, () => {
      assert.throws(() => new PortSecurity([{ mac: MAC, ips: [bad] }]), RangeError)
    })
  }
})

describe('among many addresses each is found, and no other', () => {
  for (const seed of seeds()) {
    test(`seed ${seed}`, () => {
      const random = new Random(seed)
      const mac = () =>
        random.below(2 ** 24) * 2 ** 24 + random.pick([0, 1, 2, random.below(2 ** 24)])
      const ip = () =>
        `${[0, 0, 0, 0].map(() => random.pick([0, 10, 255, random.below(256)])).join('.')}`
      const text = (value: number) =>
        value
          .toString(16)
          .padStart(12, '0')
          .replaceAll(/..(?!$)/g, '$&:')
      const listed = new Map<number, { address: number; bits: number }[]>()
      for (let i = 0; i < 300; i++) {
        const prefixes = Array.from({ length: 1 + random.below(5) }, () => {
          const bits = random.below(33)
          const mask = bits === 0 ? 0 : (-1 << (32 - bits)) >>> 0
          return { address: (parseIpv4(ip()) & mask) >>> 0, bits }
        })
        listed.set(mac(), prefixes)
      }
      const dotted = (a: number) => [24, 16, 8, 0].map((shift) => (a >>> shift) & 255).join('.')
      const security = new PortSecurity(
        [...listed].map(([value, prefixes]) => ({
          mac: text(value),
          ips: prefixes.map(({ address, bits }) => `${dotted(address)}/${bits}`),
        })),
      )
      const macs = [...listed.keys()]
      for (let i = 0; i < 3000; i++) {
        const source = random.below(4) === 0 ? mac() : random.pick(macs)
        const near = random.pick(listed.get(random.pick(macs)) as { address: number }[]).address
        const address =
          random.below(2) === 0 ? parseIpv4(ip()) : (near ^ (1 << random.below(32))) >>> 0
        const frame = udp4({ source, sourceIp: dotted(address) })
        const expected = (listed.get(source) ?? []).some(
          (prefix) =>
            Math.floor(prefix.address / 2 ** (32 - prefix.bits)) ===
            Math.floor(address / 2 ** (32 - prefix.bits)),
        )
        assert.equal(allows(security, frame), expected, `${text(source)} ${dotted(address)}`)
      }
    })
  }
})

const all = Object.values(tables)
  .flat()
  .map(([, , frame]) => frame)

describe('as many frames are allowed at once as are one by one', () => {
  const ports = { sourcePort: 1, destinationPort: 2, payload: new Uint8Array(30) }
  const some = [
    udp4({ payload: new Uint8Array(30) }),
    udp4({ minLength: 60 }),
    buildTcp({ ...to, sourceIp: '10.0.0.1', destinationIp: '1.1.1.1', ...ports }),
    udp6({ payload: new Uint8Array(30) }),
    buildTcp({ ...to, sourceIp: V6, destinationIp: '2001:db8::2', ...ports }),
  ]
  const lists: AllowedAddress[][] = [
    dual,
    anyIp,
    [{ mac: MAC, ips: ['10.0.0.0/24', '0.0.0.0/32'] }, ...onlyV6],
    [...dual, { mac: OTHER, ips: ['10.0.0.0/8'] }],
    onlyV6,
    [
      { mac: MAC, ips: ['2001:db8::/32', '10.0.0.1'] },
      { mac: OTHER, ips: [V6, '::/128'] },
    ],
    [],
  ]
  /** Where it is mostly decided: source, type, lengths, fragments, protocol, ports, length of the header of TCP. */
  const places = [
    ...[6, 11, 12, 13, 14, 16, 17, 20, 21, 23, 26, 28, 29, 34, 35, 36, 37, 38, 39, 46],
    ...[18, 19, 22, 30, 56, 57, 58, 59, 66],
  ]
  const bytes = [0, 1, 2, 3, 5, 6, 7, 8, 16, 17, 20, 32, 40, 58, 60, 64, 67, 68, 69, 80, 128, 255]
  for (const seed of seeds()) {
    test(`seed ${seed}`, () => {
      const random = new Random(seed)
      const securities = lists.map((list) => new PortSecurity(list))
      let longest = 0
      for (let n = 0; n < 20_000; n++) {
        const frames = Array.from({ length: 8 }, () => {
          const frame = random.pick(random.below(4) === 0 ? all : some).slice()
          if (frame.length < 42 || random.below(3) > 0) return frame
          if (random.below(3) === 0) return frame.subarray(0, 14 + random.below(frame.length - 13))
          const at = random.pick(places)
          if (at < frame.length)
            frame[at] = random.below(2) === 0 ? random.pick(bytes) : random.below(256)
          return frame
        })
        const memory = new Uint8Array(8 * 256).fill(n)
        frames.forEach((frame, i) => {
          memory.set(frame, i * 256)
        })
        const offsets = frames.map((_, i) => i * 256)
        const burst = framesAt(new DataView(memory.buffer), offsets, frames)
        const security = random.pick(securities)
        const first = frames.findIndex((_, i) => !security.allows(burst, i))
        const expected = first < 0 ? frames.length : first
        assert.equal(
          allowedFirst(security, burst, frames.length),
          expected,
          frames.map((frame) => Buffer.from(frame).toString('hex')).join(' '),
        )
        longest = Math.max(longest, expected)
      }
      assert.equal(longest, 8)
    })
  }
})

test('no frame makes it read what is not the frame', () => {
  const random = new Random(7)
  const security = new PortSecurity(dual)
  for (let i = 0; i < 20_000; i++) {
    const frame = random.pick(all).slice(0, random.below(100))
    for (let n = random.below(4); n > 0 && frame.length > 12; n--) {
      frame[12 + random.below(frame.length - 12)] = random.below(256)
    }
    const outcomes = [0, 0xff].map((around) => {
      const bytes = new Uint8Array(frame.length + 400).fill(around)
      bytes.set(frame, 200)
      const frames = framesAt(new DataView(bytes.buffer), [200], [frame])
      return security.allows(frames, 0) && allowedFirst(security, frames, 1) === 1
    })
    assert.equal(outcomes[0], outcomes[1], Buffer.from(frame).toString('hex'))
  }
})

test('frames beyond 2 GiB of packet memory are looked at where they are', () => {
  const security = new PortSecurity(dual)
  const beyond = 2 ** 31
  const view = new DataView(new ArrayBuffer(beyond + 1024))
  const bytes = new Uint8Array(view.buffer)
  const allowed = udp4()
  // What is found in their place by 31 bits is allowed.
  for (const at of [0, 256]) bytes.set(allowed, at)
  bytes.set(allowed, beyond)
  bytes.set(udp4({ sourceIp: '10.9.9.9' }), beyond + 256)
  const frames = framesAt(view, [beyond, beyond + 256], [allowed, allowed])
  assert.equal(allowedFirst(security, frames, 2), 1)
})
