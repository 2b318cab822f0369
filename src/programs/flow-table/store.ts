/**
 * Writing fields into frames, with the checksums that cover them corrected (RFC 1624). Which header a frame has is
 * told by offsets, negative where it has none; then nothing is written.
 *
 * @packageDocumentation
 */
import { replace16, replace32, update16, update32 } from '../../headers/checksum.js'

const IPV4 = 0x0800
const TCP = 6
const UDP = 17
const ICMP = 1
const ICMPV6 = 58

/** Sets bits of the 16 at `at`, where no checksum covers them. */
export function store16(view: DataView, at: number, value: number, mask: number): void {
  view.setUint16(at, (view.getUint16(at) & ~mask) | value)
}

/** Sets bits of the 32 at `at`, where no checksum covers them. */
export function store32(view: DataView, at: number, value: number, mask: number): void {
  view.setInt32(at, (view.getInt32(at) & ~mask) | value)
}

/** Sets bits of an address of IPv4, at `field` of the header at `l3`. */
export function storeIpv4(
  view: DataView,
  l3: number,
  l4: number,
  protocol: number,
  field: number,
  value: number,
  mask: number,
): void {
  const before = view.getInt32(l3 + field)
  const after = (before & ~mask) | value
  replace32(view, l3 + field, after, l3 + 10)
  // ICMP over IPv4 has no pseudo header.
  if (protocol !== ICMP) correct32(view, l4, protocol, before, after)
}

/** Sets bits of one of the eight words of the addresses of IPv6. */
export function storeIpv6(
  view: DataView,
  at: number,
  l4: number,
  protocol: number,
  value: number,
  mask: number,
): void {
  const before = view.getInt32(at)
  const after = (before & ~mask) | value
  view.setInt32(at, after)
  correct32(view, l4, protocol, before, after)
}

/** Sets bits of the ToS octet or the traffic class. */
export function storeTos(
  view: DataView,
  l3: number,
  type: number,
  value: number,
  mask: number,
): void {
  const before = view.getUint16(l3)
  if (type === IPV4) replace16(view, l3, (before & ~mask) | value, l3 + 10)
  else view.setUint16(l3, (before & ~(mask << 4)) | (value << 4))
}

/** Sets the time to live or the hop limit. */
export function storeTtl(view: DataView, l3: number, type: number, value: number): void {
  if (type === IPV4) {
    replace16(view, l3 + 8, (value << 8) | view.getUint8(l3 + 9), l3 + 10)
  } else {
    view.setUint8(l3 + 7, value)
  }
}

/** Sets bits of the port at `field` of a TCP or UDP header. */
export function storePort(
  view: DataView,
  l4: number,
  protocol: number,
  field: number,
  value: number,
  mask: number,
): void {
  const before = view.getUint16(l4 + field)
  const after = (before & ~mask) | value
  view.setUint16(l4 + field, after)
  const at = checksumAt(view, l4, protocol)
  if (at >= 0) writeChecksum(view, at, protocol, update16(view.getUint16(at), before, after))
}

/** Sets the type (`field` 0) or the code (1) of ICMP. */
export function storeIcmp(view: DataView, l4: number, field: number, value: number): void {
  const before = view.getUint16(l4)
  const after = field === 0 ? (value << 8) | (before & 0xff) : (before & 0xff00) | value
  replace16(view, l4, after, l4 + 2)
}

/** Corrects the transport's checksum for a changed word of its pseudo header. */
function correct32(
  view: DataView,
  l4: number,
  protocol: number,
  before: number,
  after: number,
): void {
  const at = checksumAt(view, l4, protocol)
  if (at >= 0) writeChecksum(view, at, protocol, update32(view.getUint16(at), before, after))
}

/** Where the transport's checksum is; -1 if it has none, or a UDP sender made none. */
function checksumAt(view: DataView, l4: number, protocol: number): number {
  if (l4 < 0) return -1
  if (protocol === TCP) return l4 + 16
  if (protocol === ICMPV6) return l4 + 2
  return protocol === UDP && view.getUint16(l4 + 6) !== 0 ? l4 + 6 : -1
}

/** UDP sends a checksum of 0 as its other form, because 0 stands for none (RFC 768). */
function writeChecksum(view: DataView, at: number, protocol: number, value: number): void {
  view.setUint16(at, value === 0 && protocol === UDP ? 0xffff : value)
}
