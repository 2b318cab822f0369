/** Whether frames that came out at the guests are what a switch was to make of them. */
import type { SeenFrame } from './testpmd-output.js'

/** Addresses of the two guests. */
export const GUEST_MACS = ['02:00:00:00:00:0a', '02:00:00:00:00:0b'] as const

/**
 * Each frame is to be addressed to the guest that got it.
 *
 * @param sources - address that frames for each of the guests come from; by default the other guest's
 * @throws Error that names a frame that is not, or says that there were none
 */
export function expectToGuest(
  frames: readonly SeenFrame[],
  sources: readonly [string, string] = [GUEST_MACS[1], GUEST_MACS[0]],
): void {
  expectAll(frames, ({ port, source, destination }) => {
    return destination === GUEST_MACS[port as 0 | 1] && source === sources[port as 0 | 1]
  })
}

/** Each frame is to be one of the guests' with its addresses exchanged; one that went round once has them exchanged twice. */
export function expectSwapped(frames: readonly SeenFrame[]): void {
  const [a, b] = GUEST_MACS
  expectAll(frames, ({ source, destination }) =>
    source === a ? destination === b : source === b && destination === a,
  )
  const swapped = frames.filter(({ port, source }) => source === GUEST_MACS[port as 0 | 1])
  if (swapped.length === 0)
    throw new Error(`none of ${frames.length} frames came out with its addresses exchanged`)
}

function expectAll(frames: readonly SeenFrame[], holds: (frame: SeenFrame) => boolean): void {
  if (frames.length === 0) throw new Error('no frames came out in the end')
  const wrong = frames.find((frame) => !holds(frame))
  if (wrong === undefined) return
  const { port, source, destination } = wrong
  throw new Error(
    `guest ${port} got a frame from ${source} to ${destination}: it was switched wrongly`,
  )
}
