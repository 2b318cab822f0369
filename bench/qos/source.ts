import type { ProgramFactory } from '../../src/index.js'
import { BucketTime, Policer, type PolicerOptions } from '../../src/qos/index.js'

/** What a source is to offer. */
export interface Offer {
  /** Port that frames go to; undefined: they are counted, and none are made. */
  readonly port: string | undefined
  /** Of each frame. */
  readonly bytes: number
  readonly framesPerSecond: number
  readonly seconds: number
  /** What may pass; undefined: all. */
  readonly policer?: {
    readonly memory: SharedArrayBuffer
    readonly options: PolicerOptions
    readonly counts: 'bytes' | 'frames'
  }
}

/** What passed from one refusal to another, when the bucket was empty. */
export interface Passed {
  readonly frames: number
  /** Of how many. */
  readonly offered: number
  readonly from: number
  readonly to: number
}

/** Offers frames by the clock of its lcore. `message` takes an {@link Offer}, or `undefined` to ask what passed. */
const source: ProgramFactory = ({ ports }) => {
  const time = new BucketTime()
  let known = ports
  let offer: Offer | undefined
  let policer: Policer | undefined
  let out: number | undefined
  let start = 0
  let offered = 0
  let passed = 0
  let from = 0
  let passedBefore = 0
  let offeredBefore = 0
  let result: Passed = { frames: 0, offered: 0, from: 0, to: 0 }
  return {
    burst() {},
    idle(burst) {
      if (offer === undefined) return false
      const { now } = burst
      if (start === 0) start = now
      if (now - start > offer.seconds * 1000) {
        offer = undefined
        return false
      }
      const due = Math.floor(((now - start) * offer.framesPerSecond) / 1000)
      const most = Math.min(64, due - offered)
      offered += most
      time.set(now)
      policer?.open(time)
      // A bucket that is full at first would pass more than its rate for long.
      if (offered === most) policer?.pass(offer.policer?.options.cbs ?? 0)
      let refused = false
      for (let i = 0; i < most; i++) {
        const amount = offer.policer?.counts === 'frames' ? 1 : offer.bytes
        if (policer?.pass(amount) === false) {
          refused = true
          continue
        }
        passed++
        if (out === undefined) continue
        const frame = burst.create(offer.bytes)
        if (frame >= 0) burst.outPort[frame] = out
      }
      policer?.close()
      if (refused && from === 0 && now - start > 200) {
        from = now
        passedBefore = passed
        offeredBefore = offered
      }
      if (refused && from !== 0) {
        const frames = passed - passedBefore
        result = { frames, offered: offered - offeredBefore, from, to: now }
      }
      return true
    },
    portsChanged(changed) {
      known = changed
    },
    message(message) {
      if (message === undefined) return result
      offer = message as Offer
      out = offer.port === undefined ? undefined : known.ids.get(offer.port)
      policer =
        offer.policer && new Policer(new Int32Array(offer.policer.memory), 0, offer.policer.options)
      start = offered = passed = from = 0
      result = { frames: 0, offered: 0, from: 0, to: 0 }
      return true
    },
  }
}
export default source
