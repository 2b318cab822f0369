import type { ProgramFactory } from '../../src/index.js'

/** Frames that came, from the end of one burst to the end of another. */
export interface Arrived {
  readonly frames: number
  readonly from: number
  readonly to: number
}

/** Counts what comes by the clock of its lcore. `message` takes a time in ms to wait before it counts, or `undefined` to ask. */
const sink: ProgramFactory = () => {
  let wait = 0
  let first = 0
  let from = 0
  let frames = 0
  let to = 0
  return {
    burst(burst) {
      const { now } = burst
      if (first === 0) first = now
      if (now - first < wait) return
      if (from === 0) {
        from = now
        return
      }
      frames += burst.count
      to = now
    },
    message(message) {
      if (message === undefined) return { frames, from, to } satisfies Arrived
      wait = message as number
      first = from = frames = to = 0
      return true
    },
  }
}
export default sink
