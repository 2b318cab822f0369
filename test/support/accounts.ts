import type { Port } from '../../src/index.js'
import type { Delivery, Sending, SendResult, TestHost } from '../../src/testkit/index.js'

/** What is wrong with the frames of a stream: nothing, if every number here is 0. */
export interface Wrong {
  /** Did not arrive, and the switch does not say why. */
  readonly unaccounted: number
  readonly duplicated: number
  readonly reordered: number
  readonly corrupted: number
}

export const NOTHING_WRONG: Wrong = { unaccounted: 0, duplicated: 0, reordered: 0, corrupted: 0 }

/**
 * Watches the port to a receiver, so that frames missing there can be accounted for. A receiver that is not given the
 * time to empty its ring loses frames, on a busy machine at any rate; then the port counts each of them.
 */
export function account(port: Pick<Port, 'counters'>, receiver: TestHost) {
  const full = () => port.counters().tx.droppedRingFull
  const before = full()
  return async (sent: SendResult | Sending): Promise<Wrong & { delivery: Delivery }> => {
    const result = 'stop' in sent ? await sent.stop() : sent
    const delivery = await receiver.delivery(result)
    const { lost, duplicated, reordered, corrupted } = delivery
    return { unaccounted: lost - (full() - before), duplicated, reordered, corrupted, delivery }
  }
}
