/**
 * ARP for IPv4 over Ethernet (RFC 826), 28 bytes. `at` is the start of the packet, after the Ethernet header.
 *
 * ```
 *  0       2       4      5      6       8               14             18              24             28
 *  | htype | ptype | hlen | plen | operation | sender MAC | sender IPv4 | target MAC | target IPv4 |
 * ```
 *
 * @packageDocumentation
 */
import { readMac, writeMac } from './mac.js'

/** Bytes of the packet. */
export const LENGTH = 28

/** Values of the operation field. */
export const Operation = { request: 1, reply: 2 } as const

/** Whether hardware type, protocol type and both lengths say Ethernet and IPv4: else the accessors below do not fit. */
export function isEthernetIpv4(view: DataView, at: number): boolean {
  return view.getUint32(at) === 0x0001_0800 && view.getUint16(at + 4) === 0x0604
}

/** Writes the first six bytes, for Ethernet and IPv4. */
export function setEthernetIpv4(view: DataView, at: number): void {
  view.setUint32(at, 0x0001_0800)
  view.setUint16(at + 4, 0x0604)
}

/** Operation: see {@link Operation}. */
export function operation(view: DataView, at: number): number {
  return view.getUint16(at + 6)
}

/** Sets the operation. */
export function setOperation(view: DataView, at: number, value: number): void {
  view.setUint16(at + 6, value)
}

/** Sender's hardware address as a 48-bit number. */
export function senderMac(view: DataView, at: number): number {
  return readMac(view, at + 8)
}

/** Sets the sender's hardware address. */
export function setSenderMac(view: DataView, at: number, mac: number): void {
  writeMac(view, at + 8, mac)
}

/** Sender's protocol address as a 32-bit number. */
export function senderIpv4(view: DataView, at: number): number {
  return view.getUint32(at + 14)
}

/** Sets the sender's protocol address. */
export function setSenderIpv4(view: DataView, at: number, address: number): void {
  view.setUint32(at + 14, address)
}

/** Target's hardware address as a 48-bit number; of no meaning in a request. */
export function targetMac(view: DataView, at: number): number {
  return readMac(view, at + 18)
}

/** Sets the target's hardware address. */
export function setTargetMac(view: DataView, at: number, mac: number): void {
  writeMac(view, at + 18, mac)
}

/** Target's protocol address as a 32-bit number. */
export function targetIpv4(view: DataView, at: number): number {
  return view.getUint32(at + 24)
}

/** Sets the target's protocol address. */
export function setTargetIpv4(view: DataView, at: number, address: number): void {
  view.setUint32(at + 24, address)
}
