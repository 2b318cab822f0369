import { buildArpRequest, buildEcho, buildIp, buildUdp } from '../../src/headers/build.js'
import { slot } from '../../src/programs/flow-table/fields.js'
import { FlowKey } from '../../src/programs/flow-table/key.js'

/** Where OVS does something that we do not follow it in. `src/programs/flow-table/README.md` says the same. */
export interface Difference {
  readonly what: string
  /** Rules it takes to see it. */
  readonly rules: RegExp
  /** Frames it takes to see it. */
  readonly frames: (frame: Uint8Array) => boolean
  /** A case that shows it. */
  readonly rule: string
  /** Rules behind it. */
  readonly more?: readonly string[]
  readonly frame: Uint8Array
}

/** IP headers behind one tag or none: offset and version. */
function ipOf(frame: Uint8Array): { at: number; version: number } | undefined {
  const type = (at: number) => ((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0)
  const tagged = type(12) === 0x8100 || type(12) === 0x88a8
  const at = tagged ? 18 : 14
  const version = { 2048: 4, 34525: 6 }[type(at - 2)]
  return version === undefined ? undefined : { at, version }
}

/** Protocol of IPv4, or the next header of IPv6. */
function protocolOf(frame: Uint8Array): number | undefined {
  const ip = ipOf(frame)
  return ip && frame[ip.at + (ip.version === 4 ? 9 : 6)]
}

function isLaterFragment(frame: Uint8Array): boolean {
  const ip = ipOf(frame)
  if (ip?.version !== 4) return false
  return ((((frame[ip.at + 6] ?? 0) & 0x1f) << 8) | (frame[ip.at + 7] ?? 0)) > 0
}

const common = {
  source: '02:00:00:00:00:01',
  destination: '02:00:00:00:00:02',
  sourceIp: '10.0.0.1',
  destinationIp: '10.0.0.2',
}

function fragment(): Uint8Array {
  const frame = buildUdp({
    ...common,
    sourcePort: 53,
    destinationPort: 80,
    payload: new Uint8Array(32).fill(7),
  })
  frame[21] = 5
  return frame
}

function damagedArp(): Uint8Array {
  const frame = buildArpRequest({
    senderMac: common.source,
    senderIp: common.sourceIp,
    targetIp: common.destinationIp,
  })
  frame[14] = 0x2b
  return frame
}

/** A kind of hardware that is not Ethernet, or other lengths than its addresses have. */
function isOtherArp(frame: Uint8Array): boolean {
  const type = Buffer.from(frame).indexOf('0806', 12, 'hex')
  return (
    [12, 16].includes(type) &&
    !Buffer.from(frame.subarray(type + 2))
      .toString('hex')
      .startsWith('0001080006040')
  )
}

const key = new FlowKey()

/** Of IP or of what is behind it, by what can be read of it; fragments too. */
function lacksHeader(frame: Uint8Array): boolean {
  const { buffer, byteOffset, length } = frame
  key.extract(new DataView(buffer, byteOffset, length), 0, length, 0)
  return ipOf(frame) !== undefined && (key.l4 < 0 || key.slots[slot('nw_frag')] !== 0)
}

export const DIFFERENCES: readonly Difference[] = [
  {
    what: 'OVS takes protocol 0, and IPv6 extension headers that are cut off, for an IP header that is not there, and does not change it',
    rules: /actions=.*(mod_nw|nw_tos|nw_ecn|nw_ttl|dec_ttl|ip_dscp|nw_src|nw_dst|ipv6_)/,
    frames: (frame) => [0, 43, 44, 51, 60].includes(protocolOf(frame) ?? 1),
    rule: 'ip,actions=mod_nw_tos:32,in_port',
    frame: buildIp({ ...common, protocol: 0, payload: new Uint8Array(8) }),
  },
  {
    what: 'OVS writes checksums and ports into later fragments, which have none: it changes their data',
    rules: /actions=.*(mod_nw_(src|dst)|->nw_(src|dst)|mod_tp|->(tcp|udp)_)/,
    frames: isLaterFragment,
    rule: 'ip,actions=mod_nw_dst:192.168.0.1,in_port',
    frame: fragment(),
  },
  {
    what: 'mod_tp_src and mod_tp_dst without a match on TCP or UDP set ports of SCTP in OVS, and the type and the code of ICMP',
    rules: /actions=.*mod_tp/,
    frames: (frame) => [1, 58, 132].includes(protocolOf(frame) ?? 0),
    rule: 'actions=mod_tp_src:53,in_port',
    frame: buildEcho({ ...common, identifier: 1, sequence: 1, payload: new Uint8Array(8) }),
  },
  {
    what: 'OVS writes into ARP of other hardware than Ethernet as if it were for Ethernet',
    rules: /->arp_/,
    frames: isOtherArp,
    rule: 'arp,actions=set_field:2->arp_op,in_port',
    frame: damagedArp(),
  },
  {
    what: 'What rules set of a header that a frame lacks, OVS remembers for the tables after',
    rules: /actions=.*(mod_|->|dec_ttl).*goto_table/,
    frames: lacksHeader,
    rule: 'table=0,ip,actions=mod_nw_dst:192.168.0.1,goto_table:1',
    more: ['table=1,ip,nw_dst=192.168.0.1,actions=in_port'],
    frame: buildUdp({ ...common, sourcePort: 53, destinationPort: 80 }).subarray(0, 30),
  },
]
