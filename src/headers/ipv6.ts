/**
 * The IPv6 header (RFC 8200, 3). `at` is its start.
 *
 * ```
 *  0                                       4                6             7           8        24            40
 *  | ver(4) traffic class(8) flow label(20) | payload length | next header | hop limit | source | destination |
 * ```
 *
 * Addresses do not fit a number. They are read as four words of 32 bits, compared with `isSource` and
 * `isDestination`, or found in `burst.bytes` at `at + SOURCE` and `at + DESTINATION`.
 *
 * @packageDocumentation
 */

/** Bytes of the header, without extension headers. */
export const LENGTH = 40

/** Where the source address is, from the start of the header. */
export const SOURCE = 8

/** Where the destination address is, from the start of the header. */
export const DESTINATION = 24

/** Next header values that are extension headers (RFC 8200, 4; IANA). */
export const Extension = {
  hopByHop: 0,
  routing: 43,
  fragment: 44,
  authentication: 51,
  destination: 60,
  mobility: 135,
  hip: 139,
  shim6: 140,
} as const

/** Version, 6 in a valid header. */
export function version(view: DataView, at: number): number {
  return view.getUint8(at) >>> 4
}

/** Traffic class: DSCP in the upper six bits, ECN in the lower two. */
export function trafficClass(view: DataView, at: number): number {
  return (view.getUint16(at) >>> 4) & 0xff
}

/** Sets the traffic class. */
export function setTrafficClass(view: DataView, at: number, value: number): void {
  view.setUint16(at, (view.getUint16(at) & 0xf00f) | ((value & 0xff) << 4))
}

/** Flow label, 20 bits. */
export function flowLabel(view: DataView, at: number): number {
  return view.getUint32(at) & 0xfffff
}

/** Bytes after the header, extension headers included. */
export function payloadLength(view: DataView, at: number): number {
  return view.getUint16(at + 4)
}

/** Sets the payload length. */
export function setPayloadLength(view: DataView, at: number, bytes: number): void {
  view.setUint16(at + 4, bytes)
}

/** What follows the header: an {@link Extension} or a protocol. */
export function nextHeader(view: DataView, at: number): number {
  return view.getUint8(at + 6)
}

/** Hop limit. */
export function hopLimit(view: DataView, at: number): number {
  return view.getUint8(at + 7)
}

/** Sets the hop limit; no checksum covers it. */
export function setHopLimit(view: DataView, at: number, value: number): void {
  view.setUint8(at + 7, value)
}

/**
 * Takes one from the hop limit.
 *
 * @returns the new value; at 0 the packet must not be forwarded. A value of 0 is left alone.
 */
export function decrementHopLimit(view: DataView, at: number): number {
  const before = view.getUint8(at + 7)
  if (before === 0) return 0
  view.setUint8(at + 7, before - 1)
  return before - 1
}

/** Word `index` (0 to 3) of the source address. */
export function sourceWord(view: DataView, at: number, index: number): number {
  return view.getUint32(at + SOURCE + 4 * index)
}

/** Word `index` (0 to 3) of the destination address. */
export function destinationWord(view: DataView, at: number, index: number): number {
  return view.getUint32(at + DESTINATION + 4 * index)
}

/** Whether the source address is `address`, sixteen bytes. */
export function isSource(view: DataView, at: number, address: Uint8Array): boolean {
  return isAddress(view, at + SOURCE, address)
}

/** Whether the destination address is `address`, sixteen bytes. */
export function isDestination(view: DataView, at: number, address: Uint8Array): boolean {
  return isAddress(view, at + DESTINATION, address)
}

/** Sets the source address alone; the checksum of the transport covers it. */
export function setSource(view: DataView, at: number, address: Uint8Array): void {
  setAddress(view, at + SOURCE, address)
}

/** Sets the destination address alone; the checksum of the transport covers it. */
export function setDestination(view: DataView, at: number, address: Uint8Array): void {
  setAddress(view, at + DESTINATION, address)
}

/** Whether the address at offset `at` is `address`. */
export function isAddress(view: DataView, at: number, address: Uint8Array): boolean {
  for (let i = 0; i < 16; i++) if (view.getUint8(at + i) !== address[i]) return false
  return true
}

/** Writes `address` to offset `at`. */
export function setAddress(view: DataView, at: number, address: Uint8Array): void {
  for (let i = 0; i < 16; i++) view.setUint8(at + i, address[i] as number)
}
