import { ConfigError } from '../../config/config-error.js'
import { checkActions, type PortReference } from './actions.js'
import { CompiledFlows, type Explanation } from './compiler/compiled.js'
import { type FlowCounters, type FlowEntry, Other, orderOf } from './entry.js'
import { formatActions, formatMatch } from './format.js'
import {
  checkRule,
  checkRules,
  checkSelection,
  type FlowRule,
  type FlowSelection,
  type FlowSpec,
} from './rule.js'
import type { Surroundings } from './send.js'
import { RuleError } from './values.js'

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
}

/** Why a rule went. */
export type RemovalReason = 'delete' | 'idle_timeout' | 'hard_timeout'

/** Changes rules, and keeps what is compiled in step with them. All of it happens between two bursts. */
export class FlowTables {
  readonly #entries = new Map<number, FlowEntry>()
  /** Rules by table, priority and match, which no two share. */
  readonly #byKey = new Map<string, FlowEntry>()
  readonly #compiled: CompiledFlows
  readonly counters: FlowCounters
  readonly #portOf: (port: PortReference) => number
  readonly #onRemoved: (entry: FlowEntry, reason: RemovalReason) => void
  #free: number[] = []
  #sequence = 0
  readonly #clock: () => number
  #swept = 0
  #timed = 0
  /** Packets of each rule, and when they were last seen to be more than before. */
  #lastPackets = new Float64Array(0)
  #lastUsed = new Float64Array(0)

  /**
   * @param portOf - id of a port, -1 where there is none of the name
   * @param onRemoved - told of every rule that goes
   * @param clock - milliseconds
   */
  constructor(
    portOf: (port: PortReference) => number,
    surroundings: Surroundings,
    onRemoved: (entry: FlowEntry, reason: RemovalReason) => void = () => {},
    clock: () => number = () => performance.now(),
  ) {
    this.#clock = clock
    this.#portOf = portOf
    this.#onRemoved = onRemoved
    this.counters = { rules: new Float64Array(0), other: new Float64Array(8) }
    this.#compiled = new CompiledFlows(portOf, this.counters, surroundings)
  }

  get size(): number {
    return this.#entries.size
  }

  /** What decides bursts. */
  get compiled(): CompiledFlows {
    return this.#compiled
  }

  /** Index of a rule's counters, and the rule. */
  entry(index: number): FlowEntry | undefined {
    return this.#entries.get(index)
  }

  /** Adds rules; one with the table, priority and match of a rule that is there takes its place. All of them or, if one is wrong, none. */
  add(rules: readonly (string | FlowRule)[]): void {
    const specs = checkRules(rules, 'flow table')
    if (this.size + specs.length > MAX_RULES) throw tooMany(this.size + specs.length)
    // Many at a time are compiled once, which is quicker than to look for the place of each.
    let whole = specs.length > 64
    for (const spec of specs) {
      const before = this.#byKey.get(keyOf(spec))
      if (before !== undefined) whole = this.#take(before, whole) || whole
      const entry = this.#put(spec)
      whole ||= !this.#compiled.add(entry)
    }
    if (whole) this.compile()
    else this.#compiled.settle()
  }

  /** Gives the rules of a selection the actions of `rule`, and leaves their counters. Returns how many there were. */
  modify(rule: string | FlowRule, { strict = false } = {}): number {
    const spec = checkRule(rule)
    const found = this.#select(spec, strict)
    for (const entry of found) checkFor(entry, spec)
    let whole = false
    for (const entry of found) {
      entry.spec = { ...entry.spec, actions: spec.actions, cookie: spec.cookie }
      whole ||= !this.#compiled.modify(entry)
    }
    if (whole) this.compile()
    else this.#compiled.settle()
    return found.length
  }

  /** Deletes the rules of a selection. Returns how many there were. */
  delete(selection: string | FlowSelection = {}, { strict = false } = {}): number {
    const found = this.#select(checkSelection(selection), strict)
    this.#remove(found, 'delete')
    return found.length
  }

  /** The rules of a selection with their counters, the most important first. */
  dump(selection: string | FlowSelection = {}): FlowStatus[] {
    const wanted = checkSelection(selection)
    if (this.#timed > 0) this.#sweep()
    const now = this.#clock()
    this.#noteUse(now)
    return this.#select(wanted, false)
      .sort((a, b) => a.table - b.table || b.order - a.order)
      .map((entry) => this.#statusOf(entry, now))
  }

  explain(): Explanation {
    return this.#compiled.explain()
  }

  /** Makes the compiled form anew, after ports got other ids. */
  compile(): void {
    this.#reserve()
    this.#compiled.compile(this.#entries.values(), this.counters)
  }

  /** To be called once a burst, with its time: about once a second, rules whose time is over go. */
  tick(now: number): void {
    if (now - this.#swept < 1000) return
    this.#swept = now
    if (this.#timed > 0) this.#sweep()
  }

  #sweep(): void {
    const now = this.#clock()
    this.#noteUse(now)
    const idle: FlowEntry[] = []
    const over: FlowEntry[] = []
    for (const entry of this.#entries.values()) {
      const { hardTimeout, idleTimeout } = entry.spec
      if (hardTimeout > 0 && now - entry.addedAt >= hardTimeout * 1000) over.push(entry)
      else if (idleTimeout > 0 && now - this.#usedAt(entry) >= idleTimeout * 1000) idle.push(entry)
    }
    this.#remove(over, 'hard_timeout')
    this.#remove(idle, 'idle_timeout')
  }

  /** Sees which rules had frames since the last time. */
  #noteUse(now: number): void {
    const { rules } = this.counters
    for (const { index } of this.#entries.values()) {
      const packets = rules[2 * index] as number
      if (packets === this.#lastPackets[index]) continue
      this.#lastPackets[index] = packets
      this.#lastUsed[index] = now
    }
  }

  #usedAt({ index, addedAt }: FlowEntry): number {
    return Math.max(addedAt, this.#lastUsed[index] as number)
  }

  #select(wanted: FlowSpec, strict: boolean): FlowEntry[] {
    if (strict) {
      const found = this.#byKey.get(keyOf(wanted))
      return found === undefined ? [] : [found]
    }
    return [...this.#entries.values()].filter(
      ({ table, spec }) =>
        (wanted.table === undefined || wanted.table === table) &&
        (wanted.inPort === undefined || this.#isSamePort(wanted.inPort, spec.inPort)) &&
        spec.match.within(wanted.match),
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

  #remove(entries: readonly FlowEntry[], reason: RemovalReason): void {
    let whole = entries.length > 64
    for (const entry of entries) {
      whole = this.#take(entry, whole) || whole
      this.#onRemoved(entry, reason)
    }
    if (whole) this.compile()
    else this.#compiled.settle()
  }

  /** Takes a rule out. Returns whether everything has to be compiled. */
  #take(entry: FlowEntry, whole: boolean): boolean {
    const needed = whole || !this.#compiled.delete(entry)
    this.#entries.delete(entry.index)
    this.#byKey.delete(keyOf({ ...entry.spec, table: entry.table }))
    this.#free.push(entry.index)
    if (isTimed(entry.spec)) this.#timed--
    return needed
  }

  #put(spec: FlowSpec): FlowEntry {
    const index = this.#free.pop() ?? this.#entries.size
    const order = orderOf(spec.priority, this.#sequence++)
    const entry: FlowEntry = { table: spec.table ?? 0, index, order, addedAt: this.#clock(), spec }
    this.#entries.set(index, entry)
    this.#byKey.set(keyOf(spec), entry)
    if (isTimed(spec)) this.#timed++
    if (2 * index < this.counters.rules.length) this.#reset(index)
    return entry
  }

  #reset(index: number): void {
    this.counters.rules.fill(0, 2 * index, 2 * index + 2)
    this.#lastPackets[index] = 0
    this.#lastUsed[index] = 0
  }

  /** Room for counters, with some to spare. */
  #reserve(): void {
    const needed = this.#entries.size + this.#free.length
    if (2 * needed < this.counters.rules.length) return
    const most = Math.max(64, 2 * needed)
    this.counters.rules = extended(this.counters.rules, 2 * most)
    this.#lastPackets = extended(this.#lastPackets, most)
    this.#lastUsed = extended(this.#lastUsed, most)
  }

  #statusOf(entry: FlowEntry, now: number): FlowStatus {
    const { rules } = this.counters
    const { spec, index, table, addedAt } = entry
    return {
      table,
      priority: spec.priority,
      cookie: spec.cookie,
      match: formatMatch(spec),
      actions: formatActions(spec.actions),
      packets: rules[2 * index] as number,
      bytes: rules[2 * index + 1] as number,
      duration: (now - addedAt) / 1000,
      idle: (now - this.#usedAt(entry)) / 1000,
    }
  }

  /** Frames that no rule decided, by the reason. */
  get others(): Record<keyof typeof Other, number> {
    const { other } = this.counters
    const entries = Object.entries(Other).map(([name, index]) => [name, other[index]])
    return Object.fromEntries(entries)
  }
}

/** Whether a rule can have the actions of another: they may go to a table that is before its own. */
function checkFor({ table, spec }: FlowEntry, { actions }: FlowSpec): void {
  try {
    checkActions(actions, spec.match, table)
  } catch (error) {
    if (!(error instanceof RuleError)) throw error
    const { message, fix } = error
    throw new ConfigError('flow rule', [{ path: '', value: undefined, message, fix }])
  }
}

function isTimed({ idleTimeout, hardTimeout }: FlowSpec): boolean {
  return idleTimeout > 0 || hardTimeout > 0
}

function keyOf({ table = 0, priority, inPort, match }: FlowSpec): string {
  return `${table}|${priority}|${typeof inPort === 'string' ? inPort : ''}|${match.key}`
}

function extended(array: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const longer = new Float64Array(length)
  longer.set(array)
  return longer
}

function tooMany(count: number): ConfigError {
  const message = `would have ${count} rules`
  const fix = `keep to ${MAX_RULES}, or match with masks`
  return new ConfigError('flow table', [{ path: '', value: undefined, message, fix }])
}
