/**
 * The TCP header (RFC 9293, 3.1). `at` is its start.
 *
 * ```
 *  0             2                  4          8                 12                        14       16         18              20
 *  | source port | destination port | sequence | acknowledgement | offset(4) rsv(4) flags(8) | window | checksum | urgent pointer | options
 * ```
 *
 * @packageDocumentation
 */
import { ABSENT } from './absent.js'

/** Bytes of a header without options. */
export const MIN_LENGTH = 20

/** Bits of the flags. */
export const Flag = {
  fin: 0x01,
  syn: 0x02,
  rst: 0x04,
  psh: 0x08,
  ack: 0x10,
  urg: 0x20,
  ece: 0x40,
  cwr: 0x80,
} as const

/** Kinds of options (IANA). */
export const Option = {
  end: 0,
  nop: 1,
  maximumSegmentSize: 2,
  windowScale: 3,
  sackPermitted: 4,
  sack: 5,
  timestamps: 8,
} as const

/** Source port. */
export function sourcePort(view: DataView, at: number): number {
  return view.getUint16(at)
}

/** Destination port. */
export function destinationPort(view: DataView, at: number): number {
  return view.getUint16(at + 2)
}

/** Sequence number. */
export function sequence(view: DataView, at: number): number {
  return view.getUint32(at + 4)
}

/** Acknowledgement number, with the flag `ack`. */
export function acknowledgement(view: DataView, at: number): number {
  return view.getUint32(at + 8)
}

/** Bytes of the header with its options, 0 to 60; below 20 it is invalid. */
export function headerLength(view: DataView, at: number): number {
  return (view.getUint8(at + 12) >>> 4) << 2
}

/** Flags: bits of {@link Flag}. */
export function flags(view: DataView, at: number): number {
  return view.getUint8(at + 13)
}

/** Window, before scaling. */
export function window(view: DataView, at: number): number {
  return view.getUint16(at + 14)
}

/** Checksum of pseudo header, header and data. */
export function checksum(view: DataView, at: number): number {
  return view.getUint16(at + 16)
}

/** Sets the checksum. */
export function setChecksum(view: DataView, at: number, value: number): void {
  view.setUint16(at + 16, value)
}

/** Urgent pointer, with the flag `urg`. */
export function urgentPointer(view: DataView, at: number): number {
  return view.getUint16(at + 18)
}

/** Offset of the first option of kind `wanted`, or `ABSENT`. The option is within the header in full. */
export function option(view: DataView, at: number, wanted: number): number {
  const end = at + headerLength(view, at)
  let option = at + MIN_LENGTH
  while (option < end) {
    const kind = view.getUint8(option)
    if (kind === Option.end) return ABSENT
    if (kind === Option.nop) {
      option++
      continue
    }
    if (end - option < 2) return ABSENT
    const bytes = view.getUint8(option + 1)
    if (bytes < 2 || bytes > end - option) return ABSENT
    if (kind === wanted) return option
    option += bytes
  }
  return ABSENT
}

/** Maximum segment size that a SYN announces (RFC 9293, 3.7.1), or 0. */
export function maximumSegmentSize(view: DataView, at: number): number {
  const found = option(view, at, Option.maximumSegmentSize)
  return found < 0 || view.getUint8(found + 1) !== 4 ? 0 : view.getUint16(found + 2)
}
