/**
 * ICMP (RFC 792). `at` is its start.
 *
 * ```
 *  0      1      2          4            6          8
 *  | type | code | checksum | identifier | sequence | data     (echo and echo reply)
 * ```
 *
 * @packageDocumentation
 */

/** Bytes before the data. */
export const LENGTH = 8

/** Values of the type field (IANA). */
export const Type = {
  echoReply: 0,
  destinationUnreachable: 3,
  redirect: 5,
  echoRequest: 8,
  timeExceeded: 11,
  parameterProblem: 12,
} as const

/** Type: see {@link Type}. */
export function type(view: DataView, at: number): number {
  return view.getUint8(at)
}

/** Sets the type alone; `replace16` of the word at `at` corrects the checksum with it. */
export function setType(view: DataView, at: number, value: number): void {
  view.setUint8(at, value)
}

/** Code, of a meaning of its own for each type. */
export function code(view: DataView, at: number): number {
  return view.getUint8(at + 1)
}

/** Checksum of the whole message. */
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
