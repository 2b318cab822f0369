/** A user's program that throws on every burst, after it has tried to send. */
import type { Burst } from '../../../../src/index.js'

export default () => (burst: Burst) => {
  burst.outPort[0] = 0
  burst.copyTo(0, 1)
  throw new Error('the user erred')
}
