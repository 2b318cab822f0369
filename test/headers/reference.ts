/** The plainest possible internet checksum, to hold the fast one against. */
export function slowSum(bytes: Uint8Array): number {
  let total = 0
  for (let i = 0; i < bytes.length; i += 2) {
    total += (bytes[i] as number) * 256 + (bytes[i + 1] ?? 0)
    if (total > 0xffff) total -= 0xffff
  }
  return total
}

/** Bytes written in hexadecimal, spaces ignored. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))
}

/** A view of bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
