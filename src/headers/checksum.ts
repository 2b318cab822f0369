/**
 * The internet checksum (RFC 1071) and its change by parts (RFC 1624).
 *
 * A *sum* is a ones' complement sum of 16-bit words, folded to 16 bits; a *checksum* is the complement of one,
 * as it stands in a header.
 *
 * @packageDocumentation
 */

/**
 * Ones' complement sum of the bytes from `start` up to `end`, 0 to 0xffff; an odd byte at the end counts as the
 * upper half of a word.
 *
 * @param initial - sum of what came before, of an even number of bytes
 */
export function internetSum(view: DataView, start: number, end: number, initial = 0): number {
  // The sum does not care for the order of bytes as long as it is the same throughout (RFC 1071, 2 B), so the words
  // are loaded as the machine has them and the total is turned round once.
  let total = 0
  let at = start
  while (end - at >= 16) {
    // 2048 rounds of eight words stay below 2 to the 31st, what the optimiser keeps in a register.
    const stop = Math.min(end - 15, at + 32768)
    for (; at < stop; at += 16) {
      const a = view.getInt32(at, true)
      const b = view.getInt32(at + 4, true)
      const c = view.getInt32(at + 8, true)
      const d = view.getInt32(at + 12, true)
      total += (a & 0xffff) + (a >>> 16) + (b & 0xffff) + (b >>> 16)
      total += (c & 0xffff) + (c >>> 16) + (d & 0xffff) + (d >>> 16)
    }
    total = fold(total)
  }
  for (; end - at >= 2; at += 2) total += view.getUint16(at, true)
  if (end > at) total += view.getUint8(at)
  total = fold(total)
  return fold(((total & 0xff) << 8) + (total >>> 8) + initial)
}

/** Adds up sums or 16-bit words held in up to 32 bits. */
export function fold(total: number): number {
  const once = (total & 0xffff) + (total >>> 16)
  return (once & 0xffff) + (once >>> 16)
}

/** Internet checksum of the bytes from `start` up to `end`. The checksum field among them has to be 0. */
export function internetChecksum(view: DataView, start: number, end: number, initial = 0): number {
  return ~internetSum(view, start, end, initial) & 0xffff
}

/** The checksum after a 16-bit word that it covers changed from `before` to `after` (RFC 1624, equation 3). */
export function update16(checksum: number, before: number, after: number): number {
  return ~fold((~checksum & 0xffff) + (~before & 0xffff) + (after & 0xffff)) & 0xffff
}

/** The checksum after a 32-bit word that it covers, at an even distance from its start, changed. */
export function update32(checksum: number, before: number, after: number): number {
  return update16(update16(checksum, before >>> 16, after >>> 16), before, after)
}

/** Writes a 16-bit field and corrects the checksum at `checksumAt` that covers it. */
export function replace16(view: DataView, at: number, value: number, checksumAt: number): void {
  view.setUint16(checksumAt, update16(view.getUint16(checksumAt), view.getUint16(at), value))
  view.setUint16(at, value)
}

/** Writes a 32-bit field and corrects the checksum at `checksumAt` that covers it. */
export function replace32(view: DataView, at: number, value: number, checksumAt: number): void {
  view.setUint16(checksumAt, update32(view.getUint16(checksumAt), view.getUint32(at), value))
  view.setUint32(at, value)
}

/** Sum of the pseudo header of IPv4 (RFC 9293, 3.1), for the IPv4 header at `ip` and `length` bytes of transport. */
export function pseudoHeader4(
  view: DataView,
  ip: number,
  protocol: number,
  length: number,
): number {
  return internetSum(view, ip + 12, ip + 20, fold(protocol + length))
}

/** Sum of the pseudo header of IPv6 (RFC 8200, 8.1), for the IPv6 header at `ip` and `length` bytes of transport. */
export function pseudoHeader6(
  view: DataView,
  ip: number,
  protocol: number,
  length: number,
): number {
  return internetSum(view, ip + 8, ip + 40, fold(protocol + length))
}
