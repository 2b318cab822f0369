import { ConfigError } from '../../config/config-error.js'
import { checkActions, type PortReference } from './actions.js'
import { CounterMemory } from './counter-memory.js'
import { entryOf, type FlowEntry, Other, orderOf } from './entry.js'
import { slot } from './fields.js'
import { formatActions, formatMatch } from './format.js'
import {
  checkRule,
  checkRules,
  checkSelection,
  type FlowRule,
  type FlowSelection,
  type FlowSpec,
} from './rule.js'
import { RuleError } from './values.js'

const IN_PORT = slot('in_port')

/** Most rules of a flow table. */
export const MAX_RULES = 1_000_000

/** A rule with its counters. */
export interface FlowStatus {
  readonly table: number
  readonly priority: number
  readonly cookie: bigint
  /** As `ovs-ofctl` writes it; empty for all frames. */
  readonly match: string
  /** As `ovs-ofctl` writes them. */
  readonly actions: string
  readonly packets: number
  readonly bytes: number
  /** Seconds since it was added. */
  readonly duration: number
  /** Seconds without a frame; exact to a second or so. */
  readonly idle: number
  /** Seconds without a frame after which it goes; 0: never. */
  readonly idleTimeout: number
  /** Seconds after which it goes; 0: never. */
  readonly hardTimeout: number
}

/** Counts of a flow table. */
export interface FlowTableStats {
  /** Rules there are. */
  readonly rules: number
  /** Frames that no rule decided. */
  readonly others: Readonly<Record<keyof typeof Other, number>>
}

/** @param other - count of one of {@link Other} */
export function statsOf(rules: number, other: (index: number) => number): FlowTableStats {
  const others = Object.entries(Other).map(([name, index]) => [name, other(index)])
  return { rules, others: Object.fromEntries(others) }
}

/** Why a rule went by itself. */
export type RemovalReason = 'idle_timeout' | 'hard_timeout'

/** What has to be done wherever the rules are in force, between two bursts: first the deletes, then the puts. */
export interface FlowChanges {
  /** Indices of rules that go. */
  readonly deletes: readonly number[]
  /** Rules that come, and rules that are modified. */
  readonly puts: readonly FlowEntry[]
  /** Memory for counters, where it has to be longer than before. */
  readonly generation: SharedArrayBuffer | undefined
}

/** A rule in the book. */
interface BookedRule {
  readonly key: string
  readonly addedAt: number
  spec: FlowSpec
  entry: FlowEntry
  /** What rules that had its index before had counted. */
  readonly packetsBefore: number
  readonly bytesBefore: number
  /** What was counted at its index when that was last seen to be more than before, and the time. */
  packets: number
  usedAt: number
}

/** Changes on their way into the book. */
interface Draft {
  readonly deletes: number[]
  readonly puts: Map<number, FlowEntry>
}

/**
 * The rules as they are wanted, with what is known of them: which there are, how old they are, what they counted. It
 * decides nothing about frames; what it returns brings those who do up to date.
 */
export class RuleBook {
  readonly memory: CounterMemory
  readonly #rules = new Map<number, BookedRule>()
  /** Rules by table, priority and match, which no two share. */
  readonly #byKey = new Map<string, BookedRule>()
  readonly #clock: () => number
  readonly #portOf: (port: PortReference) => number
  /** Indices that nobody counts at any more. */
  #free: number[] = []
  #next = 0
  #sequence = 0
  #timed = 0

  /**
   * @param stripes - lcores at a time; default the most there can be
   * @param portOf - id of a port, -1 where there is none of the name; for selections only
   * @param clock - milliseconds
   */
  constructor(
    clock: () => number,
    portOf: (port: PortReference) => number = () => -1,
    stripes?: number,
  ) {
    this.#clock = clock
    this.#portOf = portOf
    this.memory = new CounterMemory(256, stripes)
  }

  get size(): number {
    return this.#rules.size
  }

  /** Whether rules have timeouts. */
  get isTimed(): boolean {
    return this.#timed > 0
  }

  get stats(): FlowTableStats {
    return statsOf(this.size, (index) => this.memory.other(index))
  }

  /** All rules. */
  entries(): FlowEntry[] {
    return Array.from(this.#rules.values(), ({ entry }) => entry)
  }

  /** Adds rules; one with the table, priority and match of a rule that is there takes its place. All of them or, if one is wrong, none. */
  add(rules: readonly (string | FlowRule)[]): FlowChanges {
    const specs = checkRules(rules, 'flow table')
    this.#refuseTooMany(this.size + specs.length)
    const draft = newDraft()
    for (const spec of specs) this.#put(draft, spec)
    return this.#finish(draft)
  }

  /** Gives the rules of a selection the actions and the cookie of `rule`, and leaves their counters. */
  modify(rule: string | FlowRule, strict: boolean): FlowChanges {
    const spec = checkRule(rule)
    const found = this.#select(spec, strict)
    for (const { entry, spec: before } of found) checkFor(entry.table, before, spec)
    const draft = newDraft()
    for (const one of found) {
      one.spec = { ...one.spec, actions: spec.actions, cookie: spec.cookie }
      one.entry = { ...one.entry, actions: spec.actions, cookie: spec.cookie }
      draft.puts.set(one.entry.index, one.entry)
    }
    return this.#finish(draft)
  }

  /** Deletes the rules of a selection. */
  delete(selection: string | FlowSelection, strict: boolean): FlowChanges {
    const draft = newDraft()
    for (const rule of this.#select(checkSelection(selection), strict)) this.#take(draft, rule)
    return this.#finish(draft)
  }

  /** Puts rules in place of all; those that say the same stay as they are. All of them or, if one is wrong, none. */
  replace(rules: readonly (string | FlowRule)[]): FlowChanges {
    const wanted = new Map(checkRules(rules, 'flow table').map((spec) => [keyOf(spec), spec]))
    this.#refuseTooMany(wanted.size)
    const draft = newDraft()
    for (const rule of this.#rules.values()) if (!wanted.has(rule.key)) this.#take(draft, rule)
    for (const [key, spec] of wanted) {
      const before = this.#byKey.get(key)
      if (before === undefined || !isSame(before.spec, spec)) this.#put(draft, spec)
    }
    return this.#finish(draft)
  }

  /** Takes out the rules whose time is over. Returns them as well. */
  sweep(): { changes: FlowChanges; gone: [FlowStatus, RemovalReason][] } {
    const now = this.#clock()
    this.noteUse()
    const gone: [BookedRule, RemovalReason][] = []
    for (const rule of this.#rules.values()) {
      const { hardTimeout, idleTimeout } = rule.spec
      if (hardTimeout > 0 && now - rule.addedAt >= hardTimeout * 1000)
        gone.push([rule, 'hard_timeout'])
      else if (idleTimeout > 0 && now - rule.usedAt >= idleTimeout * 1000)
        gone.push([rule, 'idle_timeout'])
    }
    const told = gone.map(([rule, reason]): [FlowStatus, RemovalReason] => [
      this.#statusOf(rule, now),
      reason,
    ])
    const draft = newDraft()
    for (const [rule] of gone) this.#take(draft, rule)
    return { changes: this.#finish(draft), gone: told }
  }

  /** Sees which rules had frames since the last time. */
  noteUse(): void {
    const now = this.#clock()
    for (const rule of this.#rules.values()) this.#noteUseOf(rule, now)
  }

  #noteUseOf(rule: BookedRule, now: number): void {
    const packets = this.memory.packets(rule.entry.index)
    if (packets === rule.packets) return
    rule.packets = packets
    rule.usedAt = now
  }

  /** The rules of a selection with their counters, the most important first. */
  dump(selection: string | FlowSelection): FlowStatus[] {
    const wanted = checkSelection(selection)
    this.noteUse()
    // Afterwards, so that nothing was used later than now.
    const now = this.#clock()
    return this.#select(wanted, false)
      .sort((a, b) => a.entry.table - b.entry.table || b.entry.order - a.entry.order)
      .map((rule) => this.#statusOf(rule, now))
  }

  /** Rules with a cookie and their counters: the first `limit` that were added, whatever their number in all. */
  labelled(limit: number): FlowStatus[] {
    const now = this.#clock()
    const found: FlowStatus[] = []
    for (const rule of this.#rules.values()) {
      if (found.length >= limit) break
      if (rule.spec.cookie === 0n) continue
      this.#noteUseOf(rule, now)
      found.push(this.#statusOf(rule, now))
    }
    return found
  }

  /** Says that deleted rules are in force nowhere any more: others may have their indices. */
  recycle(indices: readonly number[]): void {
    for (const index of indices) this.#free.push(index)
  }

  #select(wanted: FlowSpec, strict: boolean): BookedRule[] {
    if (strict) {
      const found = this.#byKey.get(keyOf(wanted))
      return found === undefined ? [] : [found]
    }
    // A port is the same by its name and by its number, so it is compared by itself.
    const terms = wanted.match.terms.filter((term) => term.slot !== IN_PORT)
    return [...this.#rules.values()].filter(
      ({ entry, spec }) =>
        (wanted.table === undefined || wanted.table === entry.table) &&
        (wanted.inPort === undefined || this.#isSamePort(wanted.inPort, spec.inPort)) &&
        spec.match.within(terms),
    )
  }

  #isSamePort(wanted: PortReference, given: PortReference | undefined): boolean {
    return (
      given === wanted ||
      (given !== undefined &&
        this.#portOf(given) === this.#portOf(wanted) &&
        this.#portOf(given) >= 0)
    )
  }

  #put(draft: Draft, spec: FlowSpec): void {
    const key = keyOf(spec)
    const before = this.#byKey.get(key)
    if (before !== undefined) this.#take(draft, before)
    const index = this.#free.shift() ?? this.#next++
    const entry = entryOf(spec, index, orderOf(spec.priority, this.#sequence++))
    const now = this.#clock()
    const packets = this.memory.packets(index)
    const bytesBefore = this.memory.bytes(index)
    const counts = { packetsBefore: packets, bytesBefore, packets, usedAt: now }
    const rule: BookedRule = { key, addedAt: now, spec, entry, ...counts }
    this.#rules.set(index, rule)
    this.#byKey.set(key, rule)
    draft.puts.set(index, entry)
    if (isTimed(spec)) this.#timed++
  }

  #take(draft: Draft, { key, entry, spec }: BookedRule): void {
    this.#rules.delete(entry.index)
    this.#byKey.delete(key)
    if (isTimed(spec)) this.#timed--
    if (draft.puts.delete(entry.index)) this.#free.push(entry.index)
    else draft.deletes.push(entry.index)
  }

  #finish({ deletes, puts }: Draft): FlowChanges {
    let generation: SharedArrayBuffer | undefined
    if (this.#next > this.memory.capacity) {
      this.memory.grow(this.#next + 1)
      generation = this.memory.generation
    }
    return { deletes, puts: [...puts.values()], generation }
  }

  #refuseTooMany(count: number): void {
    if (count <= MAX_RULES) return
    const message = `would have ${count} rules`
    const fix = `keep to ${MAX_RULES}, or match with masks`
    throw new ConfigError('flow table', [{ path: '', value: undefined, message, fix }])
  }

  #statusOf(rule: BookedRule, now: number): FlowStatus {
    const { spec, entry, addedAt, usedAt, packetsBefore, bytesBefore } = rule
    return {
      table: entry.table,
      priority: spec.priority,
      cookie: spec.cookie,
      match: formatMatch(spec),
      actions: formatActions(spec.actions),
      packets: rule.packets - packetsBefore,
      bytes: this.memory.bytes(entry.index) - bytesBefore,
      duration: (now - addedAt) / 1000,
      idle: (now - usedAt) / 1000,
      idleTimeout: spec.idleTimeout,
      hardTimeout: spec.hardTimeout,
    }
  }
}

function newDraft(): Draft {
  return { deletes: [], puts: new Map() }
}

/** Whether a rule can have the actions of another: they may go to a table that is before its own. */
function checkFor(table: number, { match }: FlowSpec, { actions }: FlowSpec): void {
  try {
    checkActions(actions, match, table)
  } catch (error) {
    if (!(error instanceof RuleError)) throw error
    const { message, fix } = error
    throw new ConfigError('flow rule', [{ path: '', value: undefined, message, fix }])
  }
}

/** Whether two rules of the same key say the same. */
function isSame(one: FlowSpec, other: FlowSpec): boolean {
  return (
    one.cookie === other.cookie &&
    one.idleTimeout === other.idleTimeout &&
    one.hardTimeout === other.hardTimeout &&
    formatActions(one.actions) === formatActions(other.actions)
  )
}

function isTimed({ idleTimeout, hardTimeout }: FlowSpec): boolean {
  return idleTimeout > 0 || hardTimeout > 0
}

function keyOf({ table = 0, priority, inPort, match }: FlowSpec): string {
  return `${table}|${priority}|${typeof inPort === 'string' ? inPort : ''}|${match.key}`
}
