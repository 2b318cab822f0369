/**
 * Changing addresses and ports with all checksums that cover them corrected (RFC 1624), as NAT does. The cost does
 * not depend on the length of the frame.
 *
 * @packageDocumentation
 */
import { replace32, update16, update32 } from './checksum.js'
import { EtherType } from './ethernet.js'
import type { Headers } from './headers.js'
import { Protocol } from './ipv4.js'
import { transportChecksumOffset } from './transport-checksum.js'

/** Gives the packet another IPv4 source address. Returns whether it is an IPv4 packet. */
export function rewriteIpv4Source(view: DataView, headers: Headers, address: number): boolean {
  return rewriteIpv4(view, headers, 12, address)
}

/** Gives the packet another IPv4 destination address. Returns whether it is an IPv4 packet. */
export function rewriteIpv4Destination(view: DataView, headers: Headers, address: number): boolean {
  return rewriteIpv4(view, headers, 16, address)
}

/** Gives the packet another source port. Returns whether it has one. */
export function rewriteSourcePort(view: DataView, headers: Headers, port: number): boolean {
  return rewritePort(view, headers, 0, port)
}

/** Gives the packet another destination port. Returns whether it has one. */
export function rewriteDestinationPort(view: DataView, headers: Headers, port: number): boolean {
  return rewritePort(view, headers, 2, port)
}

function rewriteIpv4(view: DataView, headers: Headers, field: number, address: number): boolean {
  const ip = headers.l3
  if (ip < 0 || headers.etherType !== EtherType.ipv4) return false
  const before = view.getUint32(ip + field)
  replace32(view, ip + field, address, ip + 10)
  // ICMP over IPv4 has no pseudo header.
  if (headers.protocol === Protocol.icmp) return true
  const at = coveringChecksum(view, headers)
  if (at >= 0)
    setTransportChecksum(view, headers, at, update32(view.getUint16(at), before, address))
  return true
}

function rewritePort(view: DataView, headers: Headers, field: number, port: number): boolean {
  if (headers.l4 < 0 || (headers.protocol !== Protocol.tcp && headers.protocol !== Protocol.udp)) {
    return false
  }
  const at = coveringChecksum(view, headers)
  const before = view.getUint16(headers.l4 + field)
  view.setUint16(headers.l4 + field, port)
  if (at >= 0) setTransportChecksum(view, headers, at, update16(view.getUint16(at), before, port))
  return true
}

/** The transport's checksum field; absent where a UDP sender made none. In a first fragment it covers the rest too. */
function coveringChecksum(view: DataView, headers: Headers): number {
  const at = transportChecksumOffset(headers)
  return headers.protocol === Protocol.udp && at >= 0 && view.getUint16(at) === 0 ? -1 : at
}

function setTransportChecksum(view: DataView, headers: Headers, at: number, value: number): void {
  view.setUint16(at, value === 0 && headers.protocol === Protocol.udp ? 0xffff : value)
}
