import * as z from 'zod'
import type { Problem } from './config-error.js'

/** What an Ethernet header and two VLAN tags add to the MTU. */
const HEADERS = 22

/** Share of a second that a burst is by default: longer than an lcore is ever held up on a quiet CPU. */
const DEFAULT_BURST_SECONDS = 0.01
const LEAST_DEFAULT_BURST = 16_384

/** Schema of {@link EgressShaper}. */
export const egressShaperField = z.strictObject({
  rate: z.int().min(1000).max(1_000_000_000_000),
  burst: z.int().min(64).max(1_000_000_000).optional(),
  queueLength: z.int().min(1).max(65_536).default(1000),
  queueBytes: z.int().min(64).max(1_000_000_000).optional(),
})

/** Holds back what would be sent to a port above a rate, in a queue that drops its tail. */
export interface EgressShaper {
  /** Bits a second of whole frames without FCS, 1000 and more; as Linux counts them, and `max-rate` of OVS's `linux-htb`. */
  rate: number
  /** Bytes that may be sent at once after a pause. Default what comes in 10 ms, and 16384 at least. */
  burst?: number | undefined
  /** Most frames that wait, 1 to 65536; all shapers together hold no more than half of packet memory. Default 1000. */
  queueLength?: number | undefined
  /** Most bytes that wait. Default: no limit of its own. */
  queueBytes?: number | undefined
}

/** {@link EgressShaper} with defaults filled in. */
export type EgressShaperSpec = z.output<typeof egressShaperField>

/** Bytes at once. */
export function shaperBurst({ rate, burst }: EgressShaperSpec): number {
  return burst ?? Math.max(LEAST_DEFAULT_BURST, Math.round((rate / 8) * DEFAULT_BURST_SECONDS))
}

/** A frame of that MTU has to fit. */
export function shaperTrouble(shaper: EgressShaperSpec, mtu: number): Problem[] {
  const frame = mtu + HEADERS
  const below = (['burst', 'queueBytes'] as const).filter((key) => (shaper[key] ?? frame) < frame)
  return below.map((key) => ({
    path: `egressShaper.${key}`,
    value: shaper[key],
    message: `is less than a frame of ${frame} bytes (MTU ${mtu})`,
    fix: `give at least ${frame}`,
  }))
}
