import { type FlowChanges, type FlowStatus, type RemovalReason, RuleBook } from './book.js'
import { CounterStripe } from './counter-memory.js'
import { Follower } from './follower.js'
import type { FlowRule, FlowSelection } from './rule.js'
import type { Surroundings } from './send.js'

/** The rules of one lcore alone: the book and what follows it are on the same thread. */
export class FlowTables {
  readonly book: RuleBook
  readonly follower: Follower
  readonly #stripe: CounterStripe
  readonly #onRemoved: (rule: FlowStatus, reason: RemovalReason) => void
  #swept = 0

  /**
   * @param onRemoved - told of rules that went by a timeout
   * @param clock - milliseconds
   */
  constructor(
    around: Surroundings,
    onRemoved: (rule: FlowStatus, reason: RemovalReason) => void = () => {},
    clock: () => number = () => performance.now(),
  ) {
    this.#onRemoved = onRemoved
    this.book = new RuleBook(clock, (port) => around.members.portOf(port), 1)
    const { roster, generation } = this.book.memory
    this.#stripe = new CounterStripe(roster, generation)
    this.follower = new Follower(this.#stripe.counters, around)
  }

  add(rules: readonly (string | FlowRule)[]): void {
    this.#apply(this.book.add(rules))
  }

  /** Returns how many rules there were. */
  modify(rule: string | FlowRule, { strict = false } = {}): number {
    return this.#apply(this.book.modify(rule, strict)).puts.length
  }

  /** Returns how many rules there were. */
  delete(selection: string | FlowSelection = {}, { strict = false } = {}): number {
    return this.#apply(this.book.delete(selection, strict)).deletes.length
  }

  dump(selection: string | FlowSelection = {}): FlowStatus[] {
    if (this.book.isTimed) this.#sweep()
    return this.book.dump(selection)
  }

  /** To be called once a burst, with its time: about once a second, rules whose time is over go. */
  tick(now: number): void {
    if (now - this.#swept < 1000) return
    this.#swept = now
    if (this.book.isTimed) this.#sweep()
  }

  #sweep(): void {
    const { changes, gone } = this.book.sweep()
    if (gone.length === 0) return
    this.#apply(changes)
    for (const [rule, reason] of gone) this.#onRemoved(rule, reason)
  }

  #apply(changes: FlowChanges): FlowChanges {
    if (changes.generation !== undefined) this.#stripe.use(changes.generation)
    this.follower.apply(changes)
    this.book.recycle(changes.deletes)
    return changes
  }
}
