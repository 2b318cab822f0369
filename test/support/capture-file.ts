/** A capture file (libpcap's format, little-endian, microseconds, Ethernet). */
export function pcap(frames: readonly Uint8Array[]): Buffer {
  const header = Buffer.from(new Uint32Array([0xa1b2c3d4, 0x0004_0002, 0, 0, 65_535, 1]).buffer)
  const records = frames.flatMap((frame, i) => [
    Buffer.from(new Uint32Array([1, i, frame.length, frame.length]).buffer),
    frame,
  ])
  return Buffer.concat([header, ...records])
}

/** The frames of a capture file. */
export function framesOf(file: Buffer): Buffer[] {
  const frames: Buffer[] = []
  for (let at = 24; at < file.length; ) {
    const length = file.readUInt32LE(at + 8)
    frames.push(file.subarray(at + 16, at + 16 + length))
    at += 16 + length
  }
  return frames
}
