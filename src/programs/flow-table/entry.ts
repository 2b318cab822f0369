import type { Action, PortReference } from './actions.js'
import type { Term } from './match.js'
import type { FlowSpec } from './rule.js'

/** A rule in force: plain data, which is posted to lcores as it is. A rule that is modified gets another entry with the same index. */
export interface FlowEntry {
  readonly table: number
  /** Its place among the counters. */
  readonly index: number
  /** Orders the rules of a table: priority, and among equals the one added first. Greater is better. */
  readonly order: number
  readonly cookie: bigint
  /** The port a frame has to come from; a number is in `terms` as well, a name is not. */
  readonly inPort: PortReference | undefined
  /** At most one of each slot, in the order of the slots. */
  readonly terms: readonly Term[]
  readonly actions: readonly Action[]
}

/** A checked rule as it comes into force. */
export function entryOf(spec: FlowSpec, index: number, order: number): FlowEntry {
  const { table = 0, cookie, inPort, match, actions } = spec
  return { table, index, order, cookie, inPort, terms: match.terms, actions }
}

/** The ports whose ids make a difference to a rule, other than those a frame has to come from by their numbers. */
export function portsOf({ inPort, actions }: FlowEntry): PortReference[] {
  const outputs = actions.flatMap((action) => (action.type === 'output' ? [action.port] : []))
  return typeof inPort === 'string' ? [inPort, ...outputs] : outputs
}

/** 2 to the 32nd: more rules than are ever added. */
const SEQUENCES = 2 ** 32

/** @see {@link FlowEntry.order} */
export function orderOf(priority: number, sequence: number): number {
  return priority * SEQUENCES + (SEQUENCES - 1 - sequence)
}

/** Counters of all rules as one lcore writes them: packets and bytes of each, by its index, and the frames that no rule decided. */
export interface FlowCounters {
  /** At `2 * index` packets, after it bytes. */
  rules: Float64Array
  /** Of frames too short to have an Ethernet header, frames without a match, frames stopped by `dec_ttl`, frames stopped by meters, copies lost. */
  readonly other: Float64Array
}

/** Indices into {@link FlowCounters.other}. */
export const Other = { malformed: 0, missed: 1, expired: 2, metered: 3, lost: 4 } as const
