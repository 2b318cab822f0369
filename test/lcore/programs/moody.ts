import type { ProgramFactory } from '../../../src/index.js'

/** Does what its mood says. */
const moody: ProgramFactory = ({ data }) => {
  const { mood } = data as { mood: string }
  return {
    name: 'moody',
    burst(burst) {
      if (mood === 'null') throw null
      while (mood === 'endless');
      burst.outPort.fill(burst.inPort, 0, burst.count)
    },
    message(message) {
      if (message === 'throw') throw new Error('asked to')
      if (message === 'exit') process.exit(7)
      return { mood }
    },
  }
}
export default moody
