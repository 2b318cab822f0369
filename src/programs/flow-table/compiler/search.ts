/**
 * Ways of finding the rule of a frame: each with its data, and with the code that searches them.
 *
 * The code leaves the rule's index in `r`, and where a table has several searches its order in `o`; it begins with
 * those that searches before it left there.
 *
 * @packageDocumentation
 */
import type { FlowEntry } from '../entry.js'
import { SLOTS } from '../fields.js'
import type { Term } from '../match.js'
import { type Candidate, familyKey, maskKey } from './candidate.js'
import type { Used } from './extraction.js'
import { HashTable } from './hash-table.js'
import { linearRules } from './linear.js'
import { bitsOf, condition, literal, masked } from './names.js'
import { PrefixTable, prefixBits } from './prefix-table.js'

export interface Search {
  readonly kind: 'direct' | 'hash' | 'prefix' | 'linear'
  /** Greatest order of a rule that it can find. */
  readonly max: number
  /** Number of rules. */
  readonly size: number
  /** What it looks at, for people. */
  readonly fields: string
  /** Its rules, where they are the code of the search or its only form. */
  readonly candidates?: readonly Candidate[]
  /** Whether a rule is among those it finds. */
  has(rule: number): boolean
  /** Adds a rule to the data alone; `false` where that would take other code. */
  add(candidate: Candidate): boolean
  /** Takes a rule out of the data alone. */
  delete(candidate: Candidate): boolean
  /** Code before the loop over the frames; `self` is the search. */
  prologue(id: number, self: string): string
  /** @param alone - there is no other search in the table */
  code(id: number, used: Used, alone: boolean): string
}

function greatest(candidates: readonly Candidate[]): number {
  return candidates.reduce((max, { entry }) => Math.max(max, entry.order), -1)
}

function useAll(used: Used, terms: Iterable<{ slot: number }>): void {
  for (const term of terms) used.slot(term.slot)
}

function all(terms: readonly Term[]): string {
  return terms.length === 0 ? 'true' : terms.map(condition).join(' && ')
}

/** Takes a rule that was found, if it is greater than the one before. */
function take(rule: string, alone: boolean): string {
  if (alone) return `r = ${rule}`
  return `if (order[${rule}] > o) { r = ${rule}; o = order[r] }`
}

/** What a search looks at, with prefix lengths and masks. */
export function describe(terms: Iterable<{ slot: number; mask: number }>): string {
  const words = Array.from(terms, ({ slot, mask }) => {
    const full = bitsOf(slot) === 32 ? -1 : 2 ** bitsOf(slot) - 1
    const name = SLOTS[slot] as string
    return (mask & full) === full ? name : `${name}/0x${((mask & full) >>> 0).toString(16)}`
  })
  return words.join(', ') || 'nothing'
}

/** A chain of comparisons. */
export class DirectSearch implements Search {
  readonly kind = 'direct'
  readonly max: number
  readonly candidates: readonly Candidate[]

  constructor(candidates: readonly Candidate[]) {
    this.candidates = [...candidates].sort((a, b) => b.entry.order - a.entry.order)
    this.max = greatest(candidates)
  }

  get size(): number {
    return this.candidates.length
  }

  get fields(): string {
    return [...new Set(this.candidates.map(({ terms }) => describe(terms)))].join('; ')
  }

  has(rule: number): boolean {
    return this.candidates.some(({ entry }) => entry.index === rule)
  }

  add(): boolean {
    return false
  }

  delete(): boolean {
    return false
  }

  prologue(): string {
    return ''
  }

  code(_id: number, used: Used, alone: boolean): string {
    const chain = this.candidates.map(({ entry, terms }) => {
      useAll(used, terms)
      return `if (${all(terms)}) { ${take(literal(entry.index), alone)} }`
    })
    return chain.join(' else ')
  }
}

/** A part of a slot in a word of a key. */
interface Part {
  readonly slot: number
  readonly mask: number
  readonly shift: number
}

/** Rules of one mask: a hash of what the mask leaves of a frame (tuple space search). */
export class HashSearch implements Search {
  readonly kind = 'hash'
  readonly #fixed: readonly Term[]
  readonly #maskKey: string
  readonly #words: readonly (readonly Part[])[]
  /** Read by compiled code. */
  readonly table: HashTable
  /** Of each key the rules that have it; the greatest is the one in the table. */
  readonly #entries = new Map<string, FlowEntry[]>()
  max = -1
  size = 0

  /** @param fixed - terms that all rules have, and that are not part of the key */
  constructor(candidates: readonly Candidate[], fixed: readonly Term[]) {
    const terms = (candidates[0] as Candidate).terms
    this.#fixed = fixed
    this.#maskKey = maskKey(terms)
    this.#words = pack(terms.filter(({ slot }) => !fixed.some((term) => term.slot === slot)))
    this.table = new HashTable(this.#words.length, candidates.length)
    for (const candidate of candidates) this.add(candidate)
  }

  get fields(): string {
    return describe([...this.#fixed, ...this.#words.flat()])
  }

  has(rule: number): boolean {
    for (const entries of this.#entries.values())
      if (entries.some(({ index }) => index === rule)) return true
    return false
  }

  add(candidate: Candidate): boolean {
    if (!this.#fits(candidate)) return false
    const { entry } = candidate
    const key = this.#keyOf(candidate)
    const text = key.join()
    const same = this.#entries.get(text) ?? []
    same.push(entry)
    same.sort((a, b) => b.order - a.order)
    this.#entries.set(text, same)
    this.table.set(key, (same[0] as FlowEntry).index)
    this.max = Math.max(this.max, entry.order)
    this.size++
    return true
  }

  delete(candidate: Candidate): boolean {
    if (!this.#fits(candidate) || this.size === 1) return false
    const key = this.#keyOf(candidate)
    const text = key.join()
    const before = this.#entries.get(text)
    const left = before?.filter((entry) => entry.index !== candidate.entry.index) ?? []
    if (before === undefined || left.length === before.length) return false
    this.size--
    if (left.length === 0) {
      this.#entries.delete(text)
      this.table.delete(key)
    } else {
      this.#entries.set(text, left)
      this.table.set(key, (left[0] as FlowEntry).index)
    }
    return true
  }

  #fits({ terms }: Candidate): boolean {
    if (maskKey(terms) !== this.#maskKey) return false
    return this.#fixed.every(({ slot, value }) =>
      terms.some((term) => term.slot === slot && term.value === value),
    )
  }

  #keyOf({ terms }: Candidate): number[] {
    const values = new Map(terms.map(({ slot, value }) => [slot, value]))
    return this.#words.map((parts) =>
      parts.reduce((word, { slot, shift }) => word | ((values.get(slot) as number) << shift), 0),
    )
  }

  prologue(id: number, self: string): string {
    return `const s${id} = ${self}, cells${id} = s${id}.table.cells, mask${id} = s${id}.table.mask, max${id} = s${id}.max`
  }

  code(id: number, used: Used, alone: boolean): string {
    useAll(used, this.#fixed)
    useAll(used, this.#words.flat())
    const words = this.#words.map((parts, i) => {
      const code = parts.map(({ slot, mask, shift }) =>
        shift === 0 ? masked(slot, mask) : `${masked(slot, mask)} << ${literal(shift)}`,
      )
      return `const w${i} = ${code.join(' | ')}`
    })
    const { stride } = this.table
    const equal = words.map((_, i) => `cells${id}[c + ${i + 1}] === w${i}`)
    const hash = words.map((_, i) => `h = Math.imul((h ^ (h >>> 15)) + w${i}, 0x9e3779b1)`)
    const first = alone ? '' : `o < max${id} && `
    return [
      `if (${first}${all(this.#fixed)}) {`,
      ...words,
      'let h = 0',
      ...hash,
      `let c = ((h ^ (h >>> 16)) & mask${id}) * ${literal(stride)}`,
      'for (;;) {',
      `const v = cells${id}[c]`,
      'if (v === 0) break',
      `if (${equal.join(' && ')}) { ${take('v - 1', alone)}; break }`,
      `c += ${literal(stride)}`,
      `if (c === cells${id}.length) c = 0`,
      '}',
      '}',
    ].join('\n')
  }
}

/** Puts parts of slots into as few words as hold them without one crossing into the next. */
function pack(terms: readonly Term[]): Part[][] {
  const words: { parts: Part[]; bits: number }[] = []
  for (const { slot, mask } of [...terms].sort((a, b) => bitsOf(b.slot) - bitsOf(a.slot))) {
    const bits = bitsOf(slot)
    let word = words.find((one) => one.bits + bits <= 32)
    if (word === undefined) {
      word = { parts: [], bits: 0 }
      words.push(word)
    }
    word.parts.push({ slot, mask, shift: word.bits })
    word.bits += bits
  }
  return words.map(({ parts }) => parts)
}

/** Rules that differ in a prefix only. */
export class PrefixSearch implements Search {
  readonly kind = 'prefix'
  readonly #slot: number
  readonly #rest: readonly Term[]
  /** Read by compiled code. */
  readonly table = new PrefixTable()
  max = -1

  constructor(slot: number, rest: readonly Term[], candidates: readonly Candidate[]) {
    this.#slot = slot
    this.#rest = rest
    for (const candidate of candidates) this.add(candidate)
  }

  get size(): number {
    return this.table.size
  }

  get fields(): string {
    return describe([...this.#rest, { slot: this.#slot, mask: -1 }])
  }

  has(rule: number): boolean {
    return this.table.has(rule)
  }

  add({ entry, terms }: Candidate): boolean {
    const term = this.#prefixOf(terms)
    if (term === undefined) return false
    const bits = prefixBits(term.mask)
    this.table.add({ address: term.value, bits, rule: entry.index, order: entry.order })
    this.max = Math.max(this.max, entry.order)
    return true
  }

  delete({ entry }: Candidate): boolean {
    // A rule of the same form may have come into another search before there was this one.
    if (!this.has(entry.index) || this.size === 1) return false
    this.table.delete(entry.index)
    return true
  }

  #prefixOf(terms: readonly Term[]): Term | undefined {
    const term = terms.find(({ slot }) => slot === this.#slot)
    if (term === undefined || prefixBits(term.mask) < 1) return undefined
    const family = familyKey([...this.#rest, term], term)
    return familyKey(terms, term) === family ? term : undefined
  }

  prologue(id: number, self: string): string {
    return `const s${id} = ${self}, root${id} = s${id}.table.root, nodes${id} = s${id}.table.nodes, max${id} = s${id}.max`
  }

  code(id: number, used: Used, alone: boolean): string {
    useAll(used, this.#rest)
    const address = used.slot(this.#slot)
    const first = alone ? '' : `o < max${id} && `
    const level = (shift: number) =>
      `v = nodes${id}[(~v << 4) + ((${address} >>> ${literal(shift)}) & 15)]`
    return [
      `if (${first}${all(this.#rest)}) {`,
      `let v = root${id}[${address} >>> 16]`,
      `if (v < 0) { ${level(12)}; if (v < 0) { ${level(8)}; if (v < 0) { ${level(4)}; if (v < 0) ${level(0)} } } }`,
      `if (v > 0) { ${take('v - 1', alone)} }`,
      '}',
    ].join('\n')
  }
}

/** What has no better way: one rule after the other, as data. */
export class LinearSearch implements Search {
  readonly kind = 'linear'
  readonly max: number
  /** Read by compiled code. */
  readonly rules: Int32Array
  readonly candidates: readonly Candidate[]

  constructor(candidates: readonly Candidate[]) {
    this.candidates = candidates
    this.max = greatest(candidates)
    this.rules = linearRules(candidates)
  }

  get size(): number {
    return this.candidates.length
  }

  get fields(): string {
    const slots = new Set(this.candidates.flatMap(({ terms }) => terms.map(({ slot }) => slot)))
    return describe(Array.from(slots, (slot) => ({ slot, mask: -1 })))
  }

  has(rule: number): boolean {
    return this.candidates.some(({ entry }) => entry.index === rule)
  }

  add(): boolean {
    return false
  }

  delete(): boolean {
    return false
  }

  prologue(id: number, self: string): string {
    return `const s${id} = ${self}, rules${id} = s${id}.rules, max${id} = s${id}.max`
  }

  code(id: number, used: Used, alone: boolean): string {
    const slots = [...new Set(this.candidates.flatMap(({ terms }) => terms.map((t) => t.slot)))]
    return [
      alone ? '{' : `if (o < max${id}) {`,
      ...slots.map((slot) => `slots[${literal(slot)}] = ${used.slot(slot)}`),
      `const v = findLinear(rules${id}, slots)`,
      `if (v >= 0) { ${take('v', alone)} }`,
      '}',
    ].join('\n')
  }
}
