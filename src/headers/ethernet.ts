/**
 * The Ethernet header (IEEE 802.3, 3.1.1), 14 bytes at the start of a frame. `at` is that start.
 *
 * ```
 *  0      6      12    14
 *  | destination | source | type | ...
 * ```
 *
 * @packageDocumentation
 */
import { copyMac, readMac, writeMac } from './mac.js'

/** Bytes of the header. */
export const LENGTH = 14

/** Values of the type field (IEEE 802 Numbers, IANA). */
export const EtherType = {
  ipv4: 0x0800,
  arp: 0x0806,
  wakeOnLan: 0x0842,
  rarp: 0x8035,
  /** Customer VLAN tag, C-TAG (IEEE 802.1Q). */
  vlan: 0x8100,
  ipv6: 0x86dd,
  slowProtocols: 0x8809,
  mpls: 0x8847,
  /** Service VLAN tag, S-TAG (IEEE 802.1ad). */
  serviceVlan: 0x88a8,
  lldp: 0x88cc,
} as const

/** Least value of the field that is a type; up to 1500 it is a length and an LLC header follows (IEEE 802.3, 3.2.6). */
export const MIN_TYPE = 0x600

/** Destination address as a 48-bit number. */
export function destination(view: DataView, at: number): number {
  return readMac(view, at)
}

/** Sets the destination address. */
export function setDestination(view: DataView, at: number, mac: number): void {
  writeMac(view, at, mac)
}

/** Source address as a 48-bit number. */
export function source(view: DataView, at: number): number {
  return readMac(view, at + 6)
}

/** Sets the source address. */
export function setSource(view: DataView, at: number, mac: number): void {
  writeMac(view, at + 6, mac)
}

/** Type or length field; the type of a tag where the frame has tags. */
export function type(view: DataView, at: number): number {
  return view.getUint16(at + 12)
}

/** Sets the type field. */
export function setType(view: DataView, at: number, etherType: number): void {
  view.setUint16(at + 12, etherType)
}

/** Whether the destination is a group, the broadcast address included. */
export function isMulticast(view: DataView, at: number): boolean {
  return (view.getUint8(at) & 1) !== 0
}

/** Whether the destination is `ff:ff:ff:ff:ff:ff`. */
export function isBroadcast(view: DataView, at: number): boolean {
  return view.getInt32(at) === -1 && view.getUint16(at + 4) === 0xffff
}

/** Exchanges the two addresses, as for an answer. */
export function swapAddresses(view: DataView, at: number): void {
  const high = view.getUint16(at)
  const low = view.getUint32(at + 2)
  copyMac(view, at + 6, at)
  view.setUint16(at + 6, high)
  view.setUint32(at + 8, low)
}
