/**
 * Checksums of whole headers and segments: made anew, or verified.
 *
 * @packageDocumentation
 */
import { ABSENT } from './absent.js'
import { internetChecksum, internetSum, pseudoHeader4, pseudoHeader6 } from './checksum.js'
import { EtherType } from './ethernet.js'
import { Fragment, type Headers } from './headers.js'
import { headerLength, Protocol } from './ipv4.js'

/** Writes the checksum of the IPv4 header at `at`. */
export function fillIpv4Checksum(view: DataView, at: number): void {
  view.setUint16(at + 10, 0)
  view.setUint16(at + 10, internetChecksum(view, at, at + headerLength(view, at)))
}

/** Whether the checksum of the IPv4 header at `at` is right. */
export function verifyIpv4Checksum(view: DataView, at: number): boolean {
  return internetSum(view, at, at + headerLength(view, at)) === 0xffff
}

/** Offset of the transport's checksum field, or `ABSENT` for a protocol without one that could be computed here. */
export function transportChecksumOffset(headers: Headers): number {
  if (headers.l4 < 0) return ABSENT
  switch (headers.protocol) {
    case Protocol.tcp:
      return headers.l4 + 16
    case Protocol.udp:
      return headers.l4 + 6
    case Protocol.icmp:
    case Protocol.icmpv6:
      return headers.l4 + 2
    default:
      return ABSENT
  }
}

/** Bytes that the checksum covers: a UDP datagram may be shorter than the IP payload it is in. */
function coveredLength(view: DataView, headers: Headers): number {
  return headers.protocol === Protocol.udp
    ? view.getUint16(headers.l4 + 4)
    : headers.end - headers.l4
}

/** Sum of the pseudo header that a frame's transport is checked with; 0 for ICMP over IPv4, which has none. */
function pseudoHeader(view: DataView, headers: Headers, length: number): number {
  if (headers.etherType === EtherType.ipv6) {
    return pseudoHeader6(view, headers.l3, headers.protocol, length)
  }
  return headers.protocol === Protocol.icmp
    ? 0
    : pseudoHeader4(view, headers.l3, headers.protocol, length)
}

/**
 * Writes the checksum of a frame's TCP segment, UDP datagram or ICMP message.
 *
 * @returns `false`, with nothing written, for a fragment and for other protocols
 */
export function fillTransportChecksum(view: DataView, headers: Headers): boolean {
  const field = transportChecksumOffset(headers)
  if (field < 0 || headers.fragment !== Fragment.none) return false
  view.setUint16(field, 0)
  const length = coveredLength(view, headers)
  const value = internetChecksum(
    view,
    headers.l4,
    headers.l4 + length,
    pseudoHeader(view, headers, length),
  )
  // UDP sends a checksum of 0 as its other form, because 0 stands for none (RFC 768).
  view.setUint16(field, value === 0 && headers.protocol === Protocol.udp ? 0xffff : value)
  return true
}

/**
 * Whether the checksum of a frame's TCP segment, UDP datagram or ICMP message is right. Also `true` where there is
 * nothing to verify: UDP over IPv4 without a checksum, fragments, other protocols.
 */
export function verifyTransportChecksum(view: DataView, headers: Headers): boolean {
  const field = transportChecksumOffset(headers)
  if (field < 0 || headers.fragment !== Fragment.none) return true
  if (headers.protocol === Protocol.udp && view.getUint16(field) === 0) {
    // RFC 768 allows it, RFC 8200 (8.1) does not.
    return headers.etherType === EtherType.ipv4
  }
  const length = coveredLength(view, headers)
  return (
    internetSum(view, headers.l4, headers.l4 + length, pseudoHeader(view, headers, length)) ===
    0xffff
  )
}
