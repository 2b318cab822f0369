import type { FlowEntry } from '../entry.js'
import type { Term } from '../match.js'

/** A rule with its conditions, the port it names included. */
export interface Candidate {
  readonly entry: FlowEntry
  readonly terms: readonly Term[]
}

/** The same for rules that differ only in a prefix of that slot. */
export function familyKey(terms: readonly Term[], prefix: Term): string {
  const rest = terms.filter((term) => term !== prefix)
  return `${prefix.slot}|${rest.map((t) => `${t.slot}:${t.value}/${t.mask}`).join(' ')}`
}

/** The same for rules that look at the same bits. */
export function maskKey(terms: readonly Term[]): string {
  return terms.map(({ slot: at, mask }) => `${at}/${mask}`).join(' ')
}
