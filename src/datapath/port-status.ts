import { featureNames } from '../config/features.js'
import type { AdminState } from '../config/port-options.js'
import type { NativePortEvent, PortState } from '../native/binding.js'
import { explainEarlyEnds } from './early-ends.js'

/** What was negotiated with the peer. */
export interface Negotiated {
  /** Virtio and vhost-user features by their names in the standards. */
  readonly features: readonly string[]
  readonly ring: 'split' | 'packed'
  readonly queuePairs: number
  /** Descriptors of the first rx queue (the guest's transmit queue). */
  readonly rxRingSize: number
  /** Descriptors of the first tx queue (the guest's receive queue). */
  readonly txRingSize: number
  /** MTU in bytes that the peer was told, 0 when it did not ask. */
  readonly mtu: number
  /** NUMA node of the guest's memory, -1 when unknown. */
  readonly numaNode: number
}

/** A port at one moment. */
export interface PortStatus {
  readonly state: PortState
  /** What was asked for, whatever the peer does. A vhost-user port that is down is `closed`, a device `stopped`. */
  readonly adminState: AdminState
  /** Counts this port's connections, or its link-ups. */
  readonly generation: number
  /** Milliseconds since the epoch at which it changed. */
  readonly time: number
  /** Why, and what to do, when the change was nobody's wish here. */
  readonly reason: string | undefined
  /** Enabled rx queues (from the guest). */
  readonly rxQueues: readonly number[]
  /** Enabled tx queues (to the guest). */
  readonly txQueues: readonly number[]
  /** Features offered to the guest, which `features` of the port's options can pin; empty for an ethdev. */
  readonly offered: readonly string[]
  /** Only while ready or stopped. */
  readonly negotiated: Negotiated | undefined
}

export const UNBORN: PortStatus = {
  state: 'closed',
  adminState: 'up',
  generation: 0,
  time: 0,
  reason: undefined,
  rxQueues: [],
  txQueues: [],
  offered: [],
  negotiated: undefined,
}

export function toStatus(event: NativePortEvent): PortStatus {
  const known = event.state === 'ready' || event.state === 'stopped'
  return {
    state: event.state,
    adminState: event.adminState,
    generation: event.generation,
    time: event.time,
    reason: reasonOf(event),
    rxQueues: bitsOf(event.rxQueues),
    txQueues: bitsOf(event.txQueues),
    offered: featureNames(event.offered),
    negotiated: known
      ? {
          features: featureNames(event.features),
          ring: event.packed ? 'packed' : 'split',
          queuePairs: event.queuePairs,
          rxRingSize: event.rxRingSize,
          txRingSize: event.txRingSize,
          mtu: event.mtu,
          numaNode: event.numaNode,
        }
      : undefined,
  }
}

function reasonOf(event: NativePortEvent): string | undefined {
  const explanation = explainEarlyEnds(event)
  const parts = [event.reason, explanation].filter((part) => part !== '' && part !== undefined)
  return parts.length === 0 ? undefined : parts.join('; ')
}

function bitsOf(mask: number): number[] {
  const bits: number[] = []
  for (let bit = 0; bit < 32; bit++) if ((mask >>> bit) & 1) bits.push(bit)
  return bits
}
