import type { ProgramFactory } from '../../../src/index.js'
import { EtherType } from './stuck-frames.js'

/** Sends back what comes, and does not return from a burst in which a frame says so. */
const sometimesStuck: ProgramFactory = () => ({
  name: 'sometimes-stuck',
  burst(burst) {
    for (let i = 0; i < burst.count; i++) {
      const at = burst.offset[i] as number
      for (;;) if (burst.view.getUint16(at + 12) !== EtherType.stuck) break
    }
    burst.outPort.fill(burst.inPort, 0, burst.count)
  },
})
export default sometimesStuck
