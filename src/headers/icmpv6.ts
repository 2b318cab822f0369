/**
 * ICMPv6 (RFC 4443) and neighbour discovery (RFC 4861). `at` is the start of the message.
 *
 * ```
 *  0      1      2          4            6          8
 *  | type | code | checksum | identifier | sequence | data                    (echo)
 *  | type | code | checksum | flags and reserved    | target (16) | options   (neighbour solicitation, advertisement)
 * ```
 *
 * The checksum covers a pseudo header of IPv6.
 *
 * @packageDocumentation
 */
import { ABSENT } from './absent.js'
import { readMac } from './mac.js'

/** Bytes before the data of an echo, and of the least message that `Headers` accepts. */
export const LENGTH = 8

/** Bytes of a neighbour solicitation or advertisement before its options. */
export const NEIGHBOUR_LENGTH = 24

/** Values of the type field (IANA). */
export const Type = {
  destinationUnreachable: 1,
  packetTooBig: 2,
  timeExceeded: 3,
  parameterProblem: 4,
  echoRequest: 128,
  echoReply: 129,
  routerSolicitation: 133,
  routerAdvertisement: 134,
  neighbourSolicitation: 135,
  neighbourAdvertisement: 136,
  redirect: 137,
} as const

/** Types of options of neighbour discovery (RFC 4861, 4.6). */
export const Option = {
  sourceLinkLayerAddress: 1,
  targetLinkLayerAddress: 2,
  prefixInformation: 3,
  mtu: 5,
} as const

/** Type: see {@link Type}. */
export function type(view: DataView, at: number): number {
  return view.getUint8(at)
}

/** Code, of a meaning of its own for each type. */
export function code(view: DataView, at: number): number {
  return view.getUint8(at + 1)
}

/** Checksum of the pseudo header and the whole message. */
export function checksum(view: DataView, at: number): number {
  return view.getUint16(at + 2)
}

/** Sets the checksum. */
export function setChecksum(view: DataView, at: number, value: number): void {
  view.setUint16(at + 2, value)
}

/** Identifier of an echo. */
export function identifier(view: DataView, at: number): number {
  return view.getUint16(at + 4)
}

/** Sequence number of an echo. */
export function sequence(view: DataView, at: number): number {
  return view.getUint16(at + 6)
}

/**
 * Offset of the target address of a neighbour solicitation or advertisement, or `ABSENT` when the message is
 * something else or ends before it does.
 *
 * @param end - end of the message: `Headers.end`
 */
export function neighbourTarget(view: DataView, at: number, end: number): number {
  const kind = type(view, at)
  if (kind !== Type.neighbourSolicitation && kind !== Type.neighbourAdvertisement) return ABSENT
  return end - at < NEIGHBOUR_LENGTH ? ABSENT : at + 8
}

/** Flags of a neighbour advertisement: 4 router, 2 solicited, 1 override. */
export function neighbourFlags(view: DataView, at: number): number {
  return view.getUint8(at + 4) >>> 5
}

/**
 * Offset of the first option of type `wanted` in a neighbour solicitation or advertisement, or `ABSENT`. The option
 * is there in full.
 *
 * @param end - end of the message: `Headers.end`
 */
export function option(view: DataView, at: number, end: number, wanted: number): number {
  let option = at + NEIGHBOUR_LENGTH
  while (end - option >= 8) {
    const bytes = view.getUint8(option + 1) * 8
    // A length of 0 makes the message invalid (RFC 4861, 4.6), and an option has to end with the message.
    if (bytes === 0 || bytes > end - option) return ABSENT
    if (view.getUint8(option) === wanted) return option
    option += bytes
  }
  return ABSENT
}

/** MAC address in a link-layer address option at `option`, as a 48-bit number. */
export function optionMac(view: DataView, option: number): number {
  return readMac(view, option + 2)
}
