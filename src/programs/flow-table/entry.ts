import type { FlowSpec } from './rule.js'

/** A rule in a table. */
export interface FlowEntry {
  readonly table: number
  /** Its place among the counters. */
  readonly index: number
  /** Orders the rules of a table: priority, and among equals the one added first. Greater is better. */
  readonly order: number
  readonly addedAt: number
  /** Replaced when the rule is modified. */
  spec: FlowSpec
}

/** 2 to the 32nd: more rules than are ever added. */
const SEQUENCES = 2 ** 32

/** @see {@link FlowEntry.order} */
export function orderOf(priority: number, sequence: number): number {
  return priority * SEQUENCES + (SEQUENCES - 1 - sequence)
}

/** Counters of all rules: packets and bytes of each, by its index, and the frames that no rule decided. */
export interface FlowCounters {
  /** At `2 * index` packets, after it bytes. */
  rules: Float64Array
  /** Of frames too short to have an Ethernet header, frames without a match, frames stopped by `dec_ttl`, frames stopped by meters, copies lost. */
  readonly other: Float64Array
}

/** Indices into {@link FlowCounters.other}. */
export const Other = { malformed: 0, missed: 1, expired: 2, metered: 3, lost: 4 } as const
