/**
 * Which ways of searching find the rules of a table.
 *
 * @packageDocumentation
 */

import { slot } from '../fields.js'
import type { Term } from '../match.js'
import { type Candidate, familyKey, maskKey } from './candidate.js'
import { bitsOf } from './names.js'
import { prefixBits } from './prefix-table.js'
import { DirectSearch, HashSearch, LinearSearch, PrefixSearch, type Search } from './search.js'

/** Up to so many rules a table is a chain of comparisons with the actions between them. */
export const MAX_INLINE = 8

/** With fewer rules of one mask, comparing them one by one is cheaper than a hash. */
const LEAST_HASH = 4

/** With fewer prefixes, a hash of each length is cheaper than a trie's root. */
const LEAST_PREFIXES = 16

/** Most rules that are compared one by one in front of the other searches. */
const MAX_DIRECT = 16

/** Most searches with code of their own; rules of rarer masks are tried one after the other. */
const MAX_SEARCHES = 32

const DL_TYPE = slot('dl_type')

/** The searches that together find all rules of a table, the most important first. */
export function planSearches(candidates: readonly Candidate[]): Search[] {
  const searches: Search[] = []
  const rest = takePrefixes(candidates, searches)
  const groups = [...groupBy(rest, ({ terms }) => maskKey(terms)).values()]
  const small = groups.filter((group) => group.length < LEAST_HASH || group[0]?.terms.length === 0)
  const large = groups.filter((group) => !small.includes(group)).sort((a, b) => b.length - a.length)
  const few = small.flat()
  const loose: Candidate[] = []
  if (few.length <= MAX_DIRECT) {
    if (few.length > 0) searches.push(new DirectSearch(few))
  } else {
    for (const group of small) {
      if (group[0]?.terms.length === 0) loose.push(...group)
      else large.push(group)
    }
  }
  for (const group of large) {
    if (searches.length < MAX_SEARCHES) searches.push(new HashSearch(group, fixedOf(group)))
    else loose.push(...group)
  }
  if (loose.length > 0) searches.push(new LinearSearch(loose))
  return inOrder(searches)
}

/** Moves rules that differ only in a prefix into searches of their own. Returns the others. */
function takePrefixes(candidates: readonly Candidate[], searches: Search[]): Candidate[] {
  const taken = new Set<Candidate>()
  const families = groupBy(
    candidates.flatMap((candidate) =>
      candidate.terms.filter(isPrefix).map((term) => ({ candidate, term })),
    ),
    ({ candidate, term }) => familyKey(candidate.terms, term),
  )
  for (const family of [...families.values()].sort((a, b) => b.length - a.length)) {
    const free = family.filter(({ candidate }) => !taken.has(candidate))
    const lengths = new Set(free.map(({ term }) => term.mask))
    if (free.length < LEAST_PREFIXES || lengths.size < 2) continue
    const [first] = free
    if (first === undefined) continue
    const rest = first.candidate.terms.filter((term) => term !== first.term)
    searches.push(
      new PrefixSearch(
        first.term.slot,
        rest,
        free.map(({ candidate }) => candidate),
      ),
    )
    for (const { candidate } of free) taken.add(candidate)
  }
  return candidates.filter((candidate) => !taken.has(candidate))
}

function isPrefix({ slot: at, mask }: Term): boolean {
  return bitsOf(at) === 32 && prefixBits(mask) > 0
}

/** The type of the frame, if it is the same in all rules of a group: compared once, not part of the key. */
function fixedOf(group: readonly Candidate[]): Term[] {
  const [first, ...others] = group
  const type = first?.terms.find((term) => term.slot === DL_TYPE)
  if (first === undefined || type === undefined || first.terms.length === 1) return []
  const same = ({ terms }: Candidate) =>
    terms.some((term) => term.slot === DL_TYPE && term.value === type.value)
  return others.every(same) ? [type] : []
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}

/**
 * Searches that find one rule more, where none of them can take it as data; undefined where all of the table's rules
 * have to be looked at again.
 */
export function withRule(searches: readonly Search[], added: Candidate): Search[] | undefined {
  const direct = searches.find((search) => search instanceof DirectSearch)
  const linear = searches.find((search) => search instanceof LinearSearch)
  const others = searches.filter((search) => search !== direct)
  if (direct === undefined && linear !== undefined) {
    // Again and again, but ever more rarely: rules of one mask may have come together there.
    if (linear.size % 64 === 63) return undefined
    const longer = new LinearSearch([...linear.candidates, added])
    return inOrder([...searches.filter((search) => search !== linear), longer])
  }
  const more = planSearches([...(direct?.candidates ?? []), added])
  return others.length + more.length > MAX_SEARCHES ? undefined : inOrder([...others, ...more])
}

/** Searches without a rule that none of them can take out of its data. */
export function withoutRule(searches: readonly Search[], { entry }: Candidate): Search[] {
  return searches.flatMap((search): Search[] => {
    const of = search.candidates?.filter((other) => other.entry.index !== entry.index)
    // One that does not say which rules it has has this one only.
    if (of === undefined) return search.has(entry.index) ? [] : [search]
    if (of.length === search.size) return [search]
    if (of.length === 0) return []
    return [search instanceof DirectSearch ? new DirectSearch(of) : new LinearSearch(of)]
  })
}

function inOrder(searches: Search[]): Search[] {
  return searches.sort((a, b) => b.max - a.max)
}
