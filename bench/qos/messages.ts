/** What the section and the process that measures say to each other. */
import type { Memory } from '../memory.js'

export interface QosStart {
  readonly memory: Memory['kind']
}

/** What is measured. */
export interface QosCase {
  readonly name: 'policer' | 'shaper'
  /** Bits or frames a second that may pass. */
  readonly rate: number
  readonly unit: 'bit/s' | 'frames/s'
  /** Lcores that share the bucket. */
  readonly lcores: number
}

export interface QosRun extends QosCase {
  readonly frameBytes: number
  /** Whether frames were made and sent, or only counted. */
  readonly real: boolean
  /** What passed, as a share of the tokens of the time in which it did, less one. */
  readonly error: number
  /** Most that a frame at either end makes of that. */
  readonly resolution: number
  /** How much of the rate was offered; too little where this machine was too slow. */
  readonly offered: number
  /** Refused by the ring of the guest, who was too slow. */
  readonly lost: number
}

export interface QosRequest {
  readonly kind: 'run'
  readonly asked: QosCase
  readonly seconds: number
}

export type QosReply = { readonly kind: 'started' } | { readonly kind: 'run'; readonly run: QosRun }
