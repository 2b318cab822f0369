/**
 * Frames as byte arrays, with lengths and checksums filled in: for tests, tools and traffic generators. These
 * functions allocate; a program changes the bytes of frames in place instead.
 *
 * @packageDocumentation
 */
import * as arp from './arp.js'
import { EtherType } from './ethernet.js'
import { Headers } from './headers.js'
import * as icmp from './icmp.js'
import * as icmpv6 from './icmpv6.js'
import { parseIpv4, parseIpv6 } from './ip-address.js'
import { Protocol } from './ipv4.js'
import { BROADCAST_MAC, parseMac, writeMac } from './mac.js'
import * as tcp from './tcp.js'
import { fillIpv4Checksum, fillTransportChecksum } from './transport-checksum.js'
import { makeTci } from './vlan.js'

/** A MAC address as text or as a 48-bit number. */
export type MacLike = string | number

/** Bytes, or text to be encoded as UTF-8. */
export type Payload = Uint8Array | string

/** VLAN tag of a built frame. */
export interface VlanFields {
  /** Identifier, 0 to 4095. */
  vid: number
  /** Priority, 0 to 7. Default 0. */
  pcp?: number | undefined
  /** Drop eligible. Default false. */
  dei?: boolean | undefined
  /** Type of the tag. Default 0x8100. */
  tpid?: number | undefined
}

/** Ethernet header of a built frame. */
export interface EthernetFields {
  /** Destination MAC address. */
  destination: MacLike
  /** Source MAC address. */
  source: MacLike
  /** VLAN tags from the outside in: identifiers, or identifier with priority and tag type. */
  vlans?: readonly (number | VlanFields)[] | undefined
  /** Fill the frame with zeros up to this length; 60 is the least a NIC sends. Default: no filling. */
  minLength?: number | undefined
}

/** IPv4 or IPv6 header of a built frame; the form of the addresses decides which. */
export interface IpFields extends EthernetFields {
  /** Source IP address. */
  sourceIp: string
  /** Destination IP address. */
  destinationIp: string
  /** Time to live, or hop limit. Default 64. */
  ttl?: number | undefined
  /** Identification (IPv4). Default 0. */
  identification?: number | undefined
  /** Don't fragment (IPv4). Default false. */
  dontFragment?: boolean | undefined
  /** Differentiated services code point. Default 0. */
  dscp?: number | undefined
  /** Options (IPv4), a multiple of four bytes. Default none. */
  options?: Uint8Array | undefined
}

/** Ports of a built frame. */
export interface PortFields extends IpFields {
  /** Source port. */
  sourcePort: number
  /** Destination port. */
  destinationPort: number
  /** Default empty. */
  payload?: Payload | undefined
}

/** TCP header of a built frame. */
export interface TcpFields extends PortFields {
  /** Sequence number. Default 0. */
  sequence?: number | undefined
  /** Acknowledgement number. Default 0. */
  acknowledgement?: number | undefined
  /** Bits of `tcp.Flag`. Default `ack`. */
  flags?: number | undefined
  /** Window. Default 65535. */
  window?: number | undefined
  /** Options, a multiple of four bytes. Default none. */
  tcpOptions?: Uint8Array | undefined
}

/** Echo of a built frame. */
export interface EchoFields extends IpFields {
  /** Identifier. Default 1. */
  identifier?: number | undefined
  /** Sequence number. Default 1. */
  sequence?: number | undefined
  /** Default empty. */
  payload?: Payload | undefined
  /** An answer instead of a request. Default false. */
  reply?: boolean | undefined
}

/** ARP packet of a built frame. */
export interface ArpFields {
  /** Sender's MAC address. */
  senderMac: MacLike
  /** Sender's IPv4 address. */
  senderIp: string
  /** Target's IPv4 address. */
  targetIp: string
  /** Target's MAC address; needed for a reply. */
  targetMac?: MacLike | undefined
  /** As in {@link EthernetFields}. */
  vlans?: EthernetFields['vlans']
  /** As in {@link EthernetFields}. */
  minLength?: number | undefined
}

/** An Ethernet frame with any payload. */
export function buildEthernet(
  fields: EthernetFields & { type: number; payload?: Payload },
): Uint8Array {
  return frame(fields, fields.type, bytesOf(fields.payload))
}

/** The question who has `targetIp`, sent to all. */
export function buildArpRequest(fields: ArpFields): Uint8Array {
  return arpFrame(fields, arp.Operation.request, BROADCAST_MAC, fields.targetMac ?? 0)
}

/** The answer that `senderMac` has `senderIp`, sent to `targetMac`. */
export function buildArpReply(fields: ArpFields & { targetMac: MacLike }): Uint8Array {
  return arpFrame(fields, arp.Operation.reply, fields.targetMac, fields.targetMac)
}

/** An ICMP or, between IPv6 addresses, ICMPv6 echo. */
export function buildEcho(fields: EchoFields): Uint8Array {
  const { identifier = 1, sequence = 1, reply = false } = fields
  const v6 = isVersion6(fields)
  const { echoReply, echoRequest } = v6 ? icmpv6.Type : icmp.Type
  const header = new DataView(new ArrayBuffer(icmp.LENGTH))
  header.setUint8(0, reply ? echoReply : echoRequest)
  header.setUint16(4, identifier)
  header.setUint16(6, sequence)
  return ipFrame(fields, v6 ? Protocol.icmpv6 : Protocol.icmp, header, bytesOf(fields.payload))
}

/** A UDP datagram. */
export function buildUdp(fields: PortFields): Uint8Array {
  const payload = bytesOf(fields.payload)
  const header = new DataView(new ArrayBuffer(8))
  header.setUint16(0, fields.sourcePort)
  header.setUint16(2, fields.destinationPort)
  header.setUint16(4, 8 + payload.length)
  return ipFrame(fields, Protocol.udp, header, payload)
}

/** A TCP segment. */
export function buildTcp(fields: TcpFields): Uint8Array {
  const { sequence = 0, acknowledgement = 0, flags = tcp.Flag.ack, window = 65535 } = fields
  const options = wholeWords(fields.tcpOptions, 40, 'tcpOptions')
  const header = new DataView(new ArrayBuffer(tcp.MIN_LENGTH + options.length))
  header.setUint16(0, fields.sourcePort)
  header.setUint16(2, fields.destinationPort)
  header.setUint32(4, sequence)
  header.setUint32(8, acknowledgement)
  header.setUint8(12, (header.byteLength / 4) << 4)
  header.setUint8(13, flags)
  header.setUint16(14, window)
  new Uint8Array(header.buffer).set(options, tcp.MIN_LENGTH)
  return ipFrame(fields, Protocol.tcp, header, bytesOf(fields.payload))
}

/** An IP packet with any protocol and payload. Checksums of the protocols that are known here are filled in. */
export function buildIp(fields: IpFields & { protocol: number; payload?: Payload }): Uint8Array {
  return ipFrame(fields, fields.protocol, new DataView(new ArrayBuffer(0)), bytesOf(fields.payload))
}

function arpFrame(
  fields: ArpFields,
  operation: number,
  to: MacLike,
  targetMac: MacLike,
): Uint8Array {
  const body = new DataView(new ArrayBuffer(arp.LENGTH))
  arp.setEthernetIpv4(body, 0)
  arp.setOperation(body, 0, operation)
  arp.setSenderMac(body, 0, macOf(fields.senderMac))
  arp.setSenderIpv4(body, 0, parseIpv4(fields.senderIp))
  arp.setTargetMac(body, 0, macOf(targetMac))
  arp.setTargetIpv4(body, 0, parseIpv4(fields.targetIp))
  const ethernet = { ...fields, destination: to, source: fields.senderMac }
  return frame(ethernet, EtherType.arp, new Uint8Array(body.buffer))
}

function ipFrame(
  fields: IpFields,
  protocol: number,
  header: DataView,
  payload: Uint8Array,
): Uint8Array {
  const v6 = isVersion6(fields)
  const transport = new Uint8Array(header.byteLength + payload.length)
  transport.set(new Uint8Array(header.buffer))
  transport.set(payload, header.byteLength)
  const packet = v6
    ? ipv6Packet(fields, protocol, transport)
    : ipv4Packet(fields, protocol, transport)
  const built = frame(fields, v6 ? EtherType.ipv6 : EtherType.ipv4, packet)
  const view = new DataView(built.buffer)
  const headers = new Headers()
  headers.parseAt(view, 0, built.length)
  fillTransportChecksum(view, headers)
  return built
}

function ipv4Packet(fields: IpFields, protocol: number, transport: Uint8Array): Uint8Array {
  const options = wholeWords(fields.options, 40, 'options')
  const headerLength = 20 + options.length
  const packet = new Uint8Array(headerLength + transport.length)
  const view = new DataView(packet.buffer)
  view.setUint8(0, 0x40 | (headerLength / 4))
  view.setUint8(1, (fields.dscp ?? 0) << 2)
  view.setUint16(2, within(packet.length, 0xffff, 'packet'))
  view.setUint16(4, fields.identification ?? 0)
  view.setUint16(6, fields.dontFragment ? 0x4000 : 0)
  view.setUint8(8, fields.ttl ?? 64)
  view.setUint8(9, protocol)
  view.setUint32(12, parseIpv4(fields.sourceIp))
  view.setUint32(16, parseIpv4(fields.destinationIp))
  packet.set(options, 20)
  packet.set(transport, headerLength)
  fillIpv4Checksum(view, 0)
  return packet
}

function ipv6Packet(fields: IpFields, protocol: number, transport: Uint8Array): Uint8Array {
  const packet = new Uint8Array(40 + transport.length)
  const view = new DataView(packet.buffer)
  view.setUint16(0, 0x6000 | ((fields.dscp ?? 0) << 6))
  view.setUint16(4, within(transport.length, 0xffff, 'packet'))
  view.setUint8(6, protocol)
  view.setUint8(7, fields.ttl ?? 64)
  packet.set(parseIpv6(fields.sourceIp), 8)
  packet.set(parseIpv6(fields.destinationIp), 24)
  packet.set(transport, 40)
  return packet
}

function frame(fields: EthernetFields, type: number, payload: Uint8Array): Uint8Array {
  const { vlans = [], minLength = 0 } = fields
  const headerLength = 14 + 4 * vlans.length
  const built = new Uint8Array(Math.max(headerLength + payload.length, minLength))
  const view = new DataView(built.buffer)
  writeMac(view, 0, macOf(fields.destination))
  writeMac(view, 6, macOf(fields.source))
  vlans.forEach((tag, i) => {
    const {
      vid,
      pcp = 0,
      dei = false,
      tpid = EtherType.vlan,
    } = typeof tag === 'number' ? { vid: tag } : tag
    view.setUint16(12 + 4 * i, tpid)
    view.setUint16(14 + 4 * i, makeTci(vid, pcp, dei))
  })
  view.setUint16(headerLength - 2, type)
  built.set(payload, headerLength)
  return built
}

function isVersion6(fields: IpFields): boolean {
  return fields.sourceIp.includes(':')
}

function macOf(mac: MacLike): number {
  return typeof mac === 'string' ? parseMac(mac) : mac
}

function bytesOf(payload: Payload = new Uint8Array(0)): Uint8Array {
  return typeof payload === 'string' ? new TextEncoder().encode(payload) : payload
}

function wholeWords(
  options: Uint8Array = new Uint8Array(0),
  most: number,
  name: string,
): Uint8Array {
  if (options.length % 4 !== 0 || options.length > most) {
    throw new RangeError(
      `${name} has ${options.length} bytes; it needs a multiple of 4, at most ${most}`,
    )
  }
  return options
}

function within(bytes: number, most: number, name: string): number {
  if (bytes > most) throw new RangeError(`the ${name} has ${bytes} bytes, more than ${most}`)
  return bytes
}
