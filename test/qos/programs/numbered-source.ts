import type { ProgramFactory } from '../../../src/index.js'

export interface NumberedSource {
  /** Where the frames go. */
  port: string
  /** The upper half of every number. */
  source: number
  frames: number
  length: number
}

/** Sends numbered broadcasts to a port, as fast as it can. */
const numberedSource: ProgramFactory = ({ data, ports }) => {
  const { port, source, frames, length } = data as NumberedSource
  const out = ports.ids.get(port) as number
  let sent = 0
  return {
    burst() {},
    idle(burst) {
      for (let i = 0; i < 32 && sent < frames; i++, sent++) {
        const frame = burst.create(length)
        if (frame < 0) break
        const at = burst.offset[frame] as number
        burst.bytes.fill(0xff, at, at + 6)
        burst.view.setUint16(at + 12, 0x88b5)
        burst.view.setUint32(at + 14, source * 65_536 + sent)
        burst.outPort[frame] = out
      }
      return sent < frames
    },
  }
}
export default numberedSource
