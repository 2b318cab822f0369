import type { ProgramFactory } from '../../../src/index.js'

/** Makes frames when asked to: `[port, count]`. Each begins with the lcore's number in its payload. */
const source: ProgramFactory = ({ ports, lcore }) => {
  let known = ports
  let port = -1
  let left = 0
  return {
    name: 'source',
    burst() {},
    idle(burst) {
      for (let made = 0; left > 0 && made < 16; made++, left--) {
        const frame = burst.create(64)
        if (frame < 0) break
        const at = burst.offset[frame] as number
        burst.bytes.fill(0xff, at, at + 12)
        burst.view.setUint32(at + 12, 0x88b50000 | lcore)
        burst.outPort[frame] = port
      }
      return left > 0
    },
    portsChanged(changed) {
      known = changed
    },
    message(message) {
      const [name, count] = message as [string, number]
      port = known.ids.get(name) ?? -1
      left += count
    },
  }
}
export default source
