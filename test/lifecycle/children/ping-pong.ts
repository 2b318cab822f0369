import type { ProgramFactory } from '../../../src/index.js'

/** Sends every frame back where it came from. */
const pingPong: ProgramFactory = () => (burst) => {
  burst.outPort.fill(burst.inPort, 0, burst.count)
}
export default pingPong
