import * as z from 'zod'
import { validate } from '../../config/validate.js'
import type { PortDirectory } from '../program.js'
import {
  type FlowChanges,
  type FlowStatus,
  type FlowTableStats,
  type RemovalReason,
  RuleBook,
} from './book.js'
import { Members } from './members.js'
import { type FlowMeter, metersSchema, type SharedMeter, shareMeters } from './meters.js'
import type { FlowMessage, FlowReplica, FlowUpdate } from './replica.js'
import type { FlowRule, FlowSelection } from './rule.js'

/** How rules that several lcores share begin, and how lcores are reached. */
export interface SharedFlowsOptions {
  /** Rules to begin with. Default none: all frames are dropped. */
  readonly rules?: readonly (string | FlowRule)[] | undefined
  /** Meters that rules can name. Default none. */
  readonly meters?: readonly FlowMeter[] | undefined
  /** Hands a message to the flow table of every lcore and resolves when all have answered. Called again only after that. */
  deliver(message: unknown): Promise<void>
  /** Told of rules that went by a timeout. */
  onRemoved?: ((rule: FlowStatus, reason: RemovalReason) => void) | undefined
}

const callback = () =>
  z
    .custom<(...values: never[]) => unknown>(
      (value) => typeof value === 'function',
      'is not a function',
    )
    .describe('a function')

const options = z.strictObject({
  // Looked at one by one, with better words.
  rules: z.array(z.unknown()).default([]),
  meters: metersSchema,
  deliver: callback(),
  onRemoved: callback().optional(),
})

const meterOptions = z.strictObject({ meters: metersSchema })

/** Between two looks at the timeouts, and at lcores that missed something. */
const SWEEP_MS = 1000

/** So often an lcore is sent what it missed before it is taken for gone. */
const MAX_TRIES = 5

/** Rules that updates have between them that are kept for lcores that missed some. */
const MAX_LOGGED = 1024

/**
 * The rules of a switch with several lcores: kept here, on the thread that controls; followed by a replica on every
 * lcore.
 *
 * What is asked for is in the book, and so in {@link dump} and {@link replica}, at once, and in force on all lcores when
 * the promise resolves. Updates reach the lcores one after the other. An lcore that missed one, as one that was just
 * starting, is sent it with the next, or within a second.
 */
export class SharedFlows {
  readonly #book: RuleBook
  readonly #members = new Members()
  readonly #deliver: (message: FlowMessage) => Promise<void>
  readonly #onRemoved: SharedFlowsOptions['onRemoved']
  readonly #timer: NodeJS.Timeout
  #meters: SharedMeter[]
  /** The last update there is. */
  #update = 0
  /** The latest updates, without gaps. */
  #log: FlowUpdate[] = []
  #logged = 0
  #last: Promise<unknown> = Promise.resolve()
  /** Indices of rules that may still be in force somewhere, with the update that deletes them. */
  #deleted: { update: number; indices: readonly number[] }[] = []
  /** How often lcores could not be brought up to date, by their tickets: they ended without a word, or are not there yet. */
  readonly #missing = new Map<number, number>()

  /**
   * @param clock - milliseconds; default that of the process
   * @throws ConfigError naming every problem
   */
  constructor(given: SharedFlowsOptions, clock: () => number = () => performance.now()) {
    const { rules, meters, deliver, onRemoved } = validate(options, given, 'shared flows')
    this.#deliver = deliver as SharedFlowsOptions['deliver']
    this.#onRemoved = onRemoved as SharedFlowsOptions['onRemoved']
    this.#book = new RuleBook(clock, (port) => this.#members.portOf(port))
    this.#book.add(rules as (string | FlowRule)[])
    this.#meters = shareMeters(meters)
    this.#timer = setInterval(() => this.#tick(), SWEEP_MS)
    this.#timer.unref()
  }

  /** Rules there are. */
  get size(): number {
    return this.#book.size
  }

  /** Counts, of all lcores there are and were. */
  get stats(): FlowTableStats {
    return this.#book.stats
  }

  /** What a new lcore's flow table starts from: `flowTable({ replica })`. It can be posted to a Worker. */
  replica(): FlowReplica {
    const { roster, generation } = this.#book.memory
    const entries = this.#book.entries()
    return { update: this.#update, entries, meters: this.#meters, roster, generation }
  }

  /**
   * Adds rules, in place of those with the same table, priority and match; all of them or, when one is wrong, none.
   *
   * @throws ConfigError naming every problem; what `deliver` rejects with is passed on, and lcores that can be reached
   * follow all the same
   */
  async add(...rules: (string | FlowRule)[]): Promise<void> {
    await this.#publish(this.#book.add(rules))
  }

  /** Gives all rules whose match is that of `rule` or narrower its actions; with `strict` only that of its match and priority. Resolves to how many. */
  async modify(rule: string | FlowRule, { strict = false } = {}): Promise<number> {
    const changes = this.#book.modify(rule, strict)
    await this.#publish(changes)
    return changes.puts.length
  }

  /** Deletes all rules whose match is that of `selection` or narrower; with `strict` only that of its match and priority. Resolves to how many. */
  async delete(selection: string | FlowSelection = {}, { strict = false } = {}): Promise<number> {
    const changes = this.#book.delete(selection, strict)
    await this.#publish(changes)
    return changes.deletes.length
  }

  /**
   * Puts rules in place of all. One with the same table, priority, match, actions, cookie and timeouts stays, with its
   * counters.
   */
  async replace(
    rules: readonly (string | FlowRule)[],
  ): Promise<{ added: number; deleted: number }> {
    const changes = this.#book.replace(rules)
    await this.#publish(changes)
    return { added: changes.puts.length, deleted: changes.deletes.length }
  }

  /** Puts meters in place of all. One that is the same goes on with what it holds; others start full. */
  async setMeters(meters: readonly FlowMeter[]): Promise<void> {
    const checked = validate(meterOptions, { meters }, 'meters').meters
    this.#meters = shareMeters(checked, this.#meters)
    await this.#send({ update: ++this.#update, meters: this.#meters })
  }

  /** The rules with what all lcores counted, the most important first. */
  dump(selection: string | FlowSelection = {}): FlowStatus[] {
    if (this.#book.isTimed) this.#sweep()
    return this.#book.dump(selection)
  }

  /** Rules with a cookie and what all lcores counted, at most `limit`: for who looks often and at very many rules. */
  labelled(limit: number): FlowStatus[] {
    return this.#book.labelled(limit)
  }

  /** Lets selections know which names and which numbers are of the same ports. */
  portsChanged(ports: PortDirectory): void {
    this.#members.portsChanged(ports)
  }

  /**
   * Sends lcores what they missed while they were starting. That happens by itself within seconds; to be called when a
   * new lcore can be reached, so as to have it at once.
   */
  sync(): Promise<void> {
    this.#missing.clear()
    return this.#inTurn(() => this.#catchUp(this.#update))
  }

  /** Ends its timer. */
  close(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    this.#book.noteUse()
    if (this.#book.isTimed) this.#sweep()
    if (this.#behind(this.#update).length === 0) return
    this.#inTurn(() => this.#catchUp(this.#update)).catch(() => {})
  }

  #sweep(): void {
    const { changes, gone } = this.#book.sweep()
    if (gone.length === 0) return
    // Whoever does not hear of it now is sent it with the next.
    this.#publish(changes).catch(() => {})
    for (const [rule, reason] of gone) this.#onRemoved?.(rule, reason)
  }

  async #publish(changes: FlowChanges): Promise<void> {
    const { deletes, puts } = changes
    if (deletes.length + puts.length === 0) return this.#last.then(() => {})
    const update = ++this.#update
    if (deletes.length > 0) this.#deleted.push({ update, indices: deletes })
    await this.#send({ update, changes })
  }

  #send(update: FlowUpdate): Promise<void> {
    this.#keep(update)
    const message: FlowMessage = { type: 'follow', updates: [update] }
    return this.#inTurn(async () => {
      try {
        await this.#deliver(message)
      } catch {
        // Most likely an lcore ended just then, and the others have it; for them it is nothing new.
        await this.#deliver(message)
      }
      await this.#catchUp(update.update)
      this.#recycle(update.update)
    })
  }

  /** Runs what sends messages when all before it have been sent, or have failed. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }

  /** Sends lcores that are behind what they missed. */
  async #catchUp(update: number): Promise<void> {
    const behind = this.#behind(update)
    if (behind.length === 0) return
    const first = Math.min(...behind.map(({ taken }) => taken)) + 1
    const updates = this.#log.filter((one) => one.update >= first && one.update <= update)
    const replica = updates[0]?.update === first ? undefined : this.replica()
    await this.#deliver({ type: 'follow', updates: replica ? [] : updates, replica })
    for (const { ticket } of this.#behind(update))
      this.#missing.set(ticket, 1 + (this.#missing.get(ticket) ?? 0))
  }

  #behind(update: number): { ticket: number; taken: number }[] {
    return this.#book.memory
      .behind(update)
      .filter(({ ticket }) => (this.#missing.get(ticket) ?? 0) < MAX_TRIES)
  }

  /** Lets indices be used again that no lcore counts at since an update. */
  #recycle(update: number): void {
    const settled = this.#deleted.filter((one) => one.update <= update)
    for (const { indices } of settled) this.#book.recycle(indices)
    this.#deleted = this.#deleted.filter((one) => one.update > update)
  }

  #keep(update: FlowUpdate): void {
    const weight = ({ changes }: FlowUpdate) =>
      1 + (changes === undefined ? 0 : changes.deletes.length + changes.puts.length)
    this.#log.push(update)
    this.#logged += weight(update)
    while (this.#logged > MAX_LOGGED) this.#logged -= weight(this.#log.shift() as FlowUpdate)
  }
}
