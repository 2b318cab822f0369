/**
 * The IPv4 header (RFC 791, 3.1). `at` is its start.
 *
 * ```
 *  0            1          2              4                8     9          10         12       16            20
 *  | ver(4) ihl(4) | dscp(6) ecn(2) | total length | id | flags(3) offset(13) | ttl | protocol | checksum | source | destination | options
 * ```
 *
 * @packageDocumentation
 */
import { update16 } from './checksum.js'

/** Bytes of a header without options. */
export const MIN_LENGTH = 20

/** Protocol numbers (IANA), of IPv4 and IPv6. */
export const Protocol = {
  icmp: 1,
  igmp: 2,
  ipip: 4,
  tcp: 6,
  udp: 17,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  /** IPv6: nothing follows. */
  none: 59,
  ospf: 89,
  vrrp: 112,
  sctp: 132,
} as const

/** Version, 4 in a valid header. */
export function version(view: DataView, at: number): number {
  return view.getUint8(at) >>> 4
}

/** Bytes of the header with its options, 0 to 60; below 20 it is invalid. */
export function headerLength(view: DataView, at: number): number {
  return (view.getUint8(at) & 0xf) << 2
}

/** Bytes of options. */
export function optionsLength(view: DataView, at: number): number {
  return headerLength(view, at) - MIN_LENGTH
}

/** Differentiated services code point, 0 to 63 (RFC 2474). */
export function dscp(view: DataView, at: number): number {
  return view.getUint8(at + 1) >>> 2
}

/** Explicit congestion notification, 0 to 3 (RFC 3168). */
export function ecn(view: DataView, at: number): number {
  return view.getUint8(at + 1) & 3
}

/** Sets the DSCP and corrects the header checksum. */
export function setDscp(view: DataView, at: number, value: number): void {
  const before = view.getUint16(at)
  const after = (before & 0xff03) | ((value & 0x3f) << 2)
  view.setUint16(at, after)
  setChecksum(view, at, update16(checksum(view, at), before, after))
}

/** Bytes of header and payload. */
export function totalLength(view: DataView, at: number): number {
  return view.getUint16(at + 2)
}

/** Sets the total length. */
export function setTotalLength(view: DataView, at: number, bytes: number): void {
  view.setUint16(at + 2, bytes)
}

/** Identification, the same for all fragments of a datagram. */
export function identification(view: DataView, at: number): number {
  return view.getUint16(at + 4)
}

/** Don't fragment. */
export function dontFragment(view: DataView, at: number): boolean {
  return (view.getUint8(at + 6) & 0x40) !== 0
}

/** More fragments. */
export function moreFragments(view: DataView, at: number): boolean {
  return (view.getUint8(at + 6) & 0x20) !== 0
}

/** Fragment offset in bytes, a multiple of 8. */
export function fragmentOffset(view: DataView, at: number): number {
  return (view.getUint16(at + 6) & 0x1fff) << 3
}

/** Whether this is a fragment, the first one included. */
export function isFragment(view: DataView, at: number): boolean {
  return (view.getUint16(at + 6) & 0x3fff) !== 0
}

/** Time to live. */
export function ttl(view: DataView, at: number): number {
  return view.getUint8(at + 8)
}

/** Sets the time to live and corrects the header checksum. */
export function setTtl(view: DataView, at: number, value: number): void {
  const before = view.getUint16(at + 8)
  const after = ((value & 0xff) << 8) | (before & 0xff)
  view.setUint16(at + 8, after)
  setChecksum(view, at, update16(checksum(view, at), before, after))
}

/**
 * Takes one from the time to live, as every router does (RFC 1812, 5.3.1), and corrects the header checksum.
 *
 * @returns the new value; at 0 the packet must not be forwarded. A value of 0 is left alone.
 */
export function decrementTtl(view: DataView, at: number): number {
  const before = ttl(view, at)
  if (before === 0) return 0
  setTtl(view, at, before - 1)
  return before - 1
}

/** Protocol of the payload: see {@link Protocol}. */
export function protocol(view: DataView, at: number): number {
  return view.getUint8(at + 9)
}

/** Header checksum. */
export function checksum(view: DataView, at: number): number {
  return view.getUint16(at + 10)
}

/** Sets the header checksum. */
export function setChecksum(view: DataView, at: number, value: number): void {
  view.setUint16(at + 10, value)
}

/** Source address as a 32-bit number. */
export function source(view: DataView, at: number): number {
  return view.getUint32(at + 12)
}

/** Sets the source address alone; `rewrite.ts` corrects the checksums with it. */
export function setSource(view: DataView, at: number, address: number): void {
  view.setUint32(at + 12, address)
}

/** Destination address as a 32-bit number. */
export function destination(view: DataView, at: number): number {
  return view.getUint32(at + 16)
}

/** Sets the destination address alone; `rewrite.ts` corrects the checksums with it. */
export function setDestination(view: DataView, at: number, address: number): void {
  view.setUint32(at + 16, address)
}
