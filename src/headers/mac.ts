/**
 * MAC addresses (IEEE 802, EUI-48) as numbers: 48 bits, first octet highest. `02:00:00:00:00:01` is
 * `0x020000000001`. Numbers compare with `===` and are keys of a `Map`.
 *
 * @packageDocumentation
 */

/** `ff:ff:ff:ff:ff:ff`. */
export const BROADCAST_MAC = 0xffffffffffff

const OCTET = 2 ** 8
const I_G_BIT = 2 ** 40
const U_L_BIT = 2 ** 41

const TEXT = /^[0-9a-f]{2}([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}$/i

/**
 * The address written in `text`: six octets in hexadecimal, between colons or hyphens.
 *
 * @throws RangeError when it is not an address
 */
export function parseMac(text: string): number {
  if (!TEXT.test(text)) {
    throw new RangeError(`${JSON.stringify(text)} is not a MAC address like 02:00:00:00:00:01`)
  }
  return Number.parseInt(text.replaceAll(/[:-]/g, ''), 16)
}

/** The usual form of an address: lower case, between colons. */
export function formatMac(mac: number): string {
  return mac
    .toString(16)
    .padStart(12, '0')
    .replaceAll(/..(?!$)/g, '$&:')
}

/** Whether the address names a group; the broadcast address does too. The I/G bit of IEEE 802, 8.2.2. */
export function isMulticastMac(mac: number): boolean {
  return Math.floor(mac / I_G_BIT) % 2 === 1
}

/** Whether the address is the broadcast address. */
export function isBroadcastMac(mac: number): boolean {
  return mac === BROADCAST_MAC
}

/** Whether the address was given by an administrator or a hypervisor. The U/L bit of IEEE 802, 8.2.2. */
export function isLocalMac(mac: number): boolean {
  return Math.floor(mac / U_L_BIT) % 2 === 1
}

/** Octet `index` of the address, 0 the first on the wire. */
export function macOctet(mac: number, index: number): number {
  return Math.floor(mac / OCTET ** (5 - index)) % OCTET
}

/** The address at `at` in `view`. */
export function readMac(view: DataView, at: number): number {
  return view.getUint16(at) * 0x1_0000_0000 + view.getUint32(at + 2)
}

/** Writes an address to `at` in `view`. */
export function writeMac(view: DataView, at: number, mac: number): void {
  view.setUint16(at, mac / 0x1_0000_0000)
  view.setUint32(at + 2, mac)
}

/** Copies the address at `from` to `to`; cheaper than reading and writing the number. */
export function copyMac(view: DataView, from: number, to: number): void {
  const high = view.getUint16(from)
  view.setUint32(to + 2, view.getUint32(from + 2))
  view.setUint16(to, high)
}
