import { PROTOCOLS, type Protocol, protocolsOfSlot, slot } from './fields.js'

/** One condition of a rule: the bits of `mask` in a slot are those of `value`. Both are signed 32-bit numbers. */
export interface Term {
  readonly slot: number
  readonly value: number
  readonly mask: number
}

/** The conditions of a rule, at most one of each slot. */
export class Match {
  readonly #terms = new Map<number, Term>()

  constructor(terms: Iterable<Term> = []) {
    for (const term of terms) this.set(term.slot, term.value, term.mask)
  }

  /** The conditions, in the order of the slots. */
  get terms(): Term[] {
    return [...this.#terms.values()].sort((a, b) => a.slot - b.slot)
  }

  /** What is asked of a slot. */
  term(index: number): Term | undefined {
    return this.#terms.get(index)
  }

  /** Asks for bits of a slot, in place of what was asked of the same bits before. */
  set(index: number, value: number, mask: number): void {
    const before = this.#terms.get(index) ?? { value: 0, mask: 0 }
    const after = {
      slot: index,
      value: (before.value & ~mask) | (value & mask),
      mask: before.mask | mask,
    }
    if (after.mask !== 0) this.#terms.set(index, after)
  }

  delete(index: number): void {
    this.#terms.delete(index)
  }

  /** Whether only frames of that protocol fit. */
  isOf(protocol: Protocol): boolean {
    return PROTOCOLS[protocol].some((terms) =>
      Object.entries(terms).every(([name, value]) => {
        const term = this.#terms.get(slot(name))
        return term !== undefined && term.mask !== 0 && term.value === value
      }),
    )
  }

  /** Slots that are asked about without the protocol that gives them a meaning. */
  baseless(): number[] {
    return this.terms
      .map((term) => term.slot)
      .filter((index) => {
        const protocols = protocolsOfSlot(index)
        return protocols.length > 0 && !protocols.some((protocol) => this.isOf(protocol))
      })
  }

  /** Whether all frames that fit this fit other terms as well: it asks for the same, or for more. */
  within(terms: readonly Term[]): boolean {
    return terms.every(({ slot: index, value, mask }) => {
      const mine = this.#terms.get(index)
      return mine !== undefined && (mine.mask & mask) === mask && (mine.value & mask) === value
    })
  }

  /** The same text for the same conditions. */
  get key(): string {
    return this.terms.map(({ slot: s, value, mask }) => `${s}:${value}/${mask}`).join(' ')
  }
}
