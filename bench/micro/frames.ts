import { buildUdp } from '../../src/headers/build.js'

/** Frames of one burst, laid out as in packet memory. */
export interface Frames {
  readonly view: DataView
  readonly offset: Uint32Array
  readonly length: Uint32Array
  readonly count: number
}

const COUNT = 32
const BUFFER_BYTES = 2176
const HEADROOM = 128

/** A burst of UDP frames between many stations. */
export function udpFrames(): Frames {
  const bytes = new Uint8Array(COUNT * BUFFER_BYTES)
  const offset = new Uint32Array(COUNT)
  const length = new Uint32Array(COUNT)
  for (let i = 0; i < COUNT; i++) {
    const frame = buildUdp({
      source: 0x02_00_00_00_01_00 + i,
      destination: 0x02_00_00_00_02_00 + i,
      sourceIp: `10.0.1.${i}`,
      destinationIp: `10.0.2.${i}`,
      sourcePort: 1000 + i,
      destinationPort: 53,
      minLength: 60,
    })
    offset[i] = i * BUFFER_BYTES + HEADROOM
    length[i] = frame.length
    bytes.set(frame, offset[i])
  }
  return { view: new DataView(bytes.buffer), offset, length, count: COUNT }
}
