import type { ProgramFactory } from '../../../src/index.js'
import { crossConnect } from '../../../src/programs/cross-connect.js'

/** A cross-connect that has each burst in hand for so many milliseconds. */
const slow: ProgramFactory = ({ data }) => {
  const { holdMs } = data as { holdMs: number }
  const nobody = new Int32Array(new SharedArrayBuffer(4))
  const program = crossConnect()
  return {
    name: 'slow',
    burst(burst) {
      Atomics.wait(nobody, 0, 0, holdMs)
      program.burst(burst)
    },
    portsChanged: (ports) => program.portsChanged(ports),
  }
}
export default slow
