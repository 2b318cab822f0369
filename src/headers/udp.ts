/**
 * The UDP header (RFC 768). `at` is its start.
 *
 * ```
 *  0             2                  4        6          8
 *  | source port | destination port | length | checksum | data
 * ```
 *
 * @packageDocumentation
 */

/** Bytes of the header. */
export const LENGTH = 8

/** Source port. */
export function sourcePort(view: DataView, at: number): number {
  return view.getUint16(at)
}

/** Destination port. */
export function destinationPort(view: DataView, at: number): number {
  return view.getUint16(at + 2)
}

/** Bytes of header and data. */
export function length(view: DataView, at: number): number {
  return view.getUint16(at + 4)
}

/** Sets the length. */
export function setLength(view: DataView, at: number, bytes: number): void {
  view.setUint16(at + 4, bytes)
}

/** Checksum; 0 says that the sender made none, which only IPv4 allows. */
export function checksum(view: DataView, at: number): number {
  return view.getUint16(at + 6)
}

/** Sets the checksum. */
export function setChecksum(view: DataView, at: number, value: number): void {
  view.setUint16(at + 6, value)
}
