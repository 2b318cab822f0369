import { featureNames } from '../config/features.js'
import type { NativePortEvent } from '../native/binding.js'
import { requestName } from './requests.js'

/** As many in a row are no accident. The addon slows down from then on. */
const ROUNDS = 3

/** Features that are bits of the protocol, and no virtio device's. */
const PROTOCOL_FEATURES = 1n << 30n

type Ends = Pick<
  NativePortEvent,
  'state' | 'earlyEnds' | 'lastRequest' | 'offered' | 'requested' | 'featuresBefore'
>

/**
 * Why a peer keeps closing its connection as soon as it has it, and what to do. A peer that goes on running while the
 * switch is replaced needs the features it negotiated before: QEMU closes the connection when one is missing, and
 * connects again, for ever.
 */
export function explainEarlyEnds(event: Ends): string | undefined {
  const { state, earlyEnds, lastRequest, offered, requested, featuresBefore } = event
  // With a connection it is too early to say what became of it.
  if (earlyEnds < ROUNDS || ['connected', 'ready', 'stopped'].includes(state)) return undefined
  const times = `${earlyEnds} times in a row, after ${requestName(lastRequest)}`
  const unoffered = requested & ~offered & ~PROTOCOL_FEATURES
  if (unoffered !== 0n) {
    return `${times}: it asks for ${list(unoffered)}, not offered here; ${FIX}`
  }
  const lost = featuresBefore & ~offered & ~PROTOCOL_FEATURES
  if (lost !== 0n) return `${times}: it had ${list(lost)} before, not offered any more; ${FIX}`
  return `${times}: if it needs a feature, these are offered: ${list(offered)}; ${FIX}`
}

const FIX =
  "give the port the features it had with 'features' (or remove them from disableFeatures), or restart the guest"

function list(mask: bigint): string {
  return featureNames(mask).join(', ') || 'none'
}
