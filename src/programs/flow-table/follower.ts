import type { PortDirectory } from '../program.js'
import type { PortReference } from './actions.js'
import type { FlowChanges } from './book.js'
import { CompiledFlows } from './compiler/compiled.js'
import { type FlowCounters, type FlowEntry, portsOf } from './entry.js'
import type { Surroundings } from './send.js'

/** Up to so many rules, or this part of all, are changed one by one; more are compiled anew, which is quicker then. */
const FEW = 64
const PART = 1 / 8

/** The rules that are in force on one lcore: those of a book, compiled. All changes happen between two bursts. */
export class Follower {
  /** What decides bursts. */
  readonly compiled: CompiledFlows
  readonly #around: Surroundings
  readonly #entries = new Map<number, FlowEntry>()
  /** Rules, by the ports that they name. */
  readonly #users = new Map<PortReference, Set<number>>()

  constructor(counters: FlowCounters, around: Surroundings) {
    this.#around = around
    this.compiled = new CompiledFlows(counters, around)
  }

  get size(): number {
    return this.#entries.size
  }

  /** The rule of an index. */
  entry(index: number): FlowEntry | undefined {
    return this.#entries.get(index)
  }

  apply({ deletes, puts, generation }: FlowChanges): void {
    if (generation !== undefined) this.compiled.countersChanged()
    let whole = this.#isMuch(deletes.length + puts.length)
    for (const index of deletes) {
      const gone = this.#entries.get(index)
      if (gone === undefined) continue
      this.#forget(gone)
      whole ||= !this.compiled.delete(gone)
    }
    for (const entry of puts) {
      const before = this.#entries.get(entry.index)
      if (before !== undefined) this.#forget(before)
      this.#note(entry)
      whole ||= !(before === undefined ? this.compiled.add(entry) : this.compiled.modify(entry))
    }
    this.#settle(whole)
  }

  /** Puts rules in place of all. */
  reset(entries: readonly FlowEntry[]): void {
    this.#entries.clear()
    this.#users.clear()
    for (const entry of entries) this.#note(entry)
    this.compiled.countersChanged()
    this.compiled.compile(entries)
  }

  /** Lets rules see what ports there are; only those that name ports whose ids are others now have any work done. */
  portsChanged(ports: PortDirectory): void {
    const { members } = this.#around
    const before = new Map(Array.from(this.#users.keys(), (port) => [port, members.portOf(port)]))
    members.portsChanged(ports)
    const touched = new Map<number, boolean>()
    for (const [port, id] of before) {
      if (members.portOf(port) === id) continue
      for (const index of this.#users.get(port) ?? []) {
        const matches = this.#entries.get(index)?.inPort === port
        touched.set(index, matches || touched.get(index) === true)
      }
    }
    // Where frames are sent to is data, mostly, and quickly changed.
    const moved = Array.from(touched.values()).filter((matches) => matches)
    let whole = this.#isMuch(moved.length)
    for (const [index, matches] of touched) {
      const entry = this.#entries.get(index) as FlowEntry
      if (matches) whole ||= !(this.compiled.delete(entry) && this.compiled.add(entry))
      else whole ||= !this.compiled.modify(entry)
    }
    this.#settle(whole)
  }

  #isMuch(rules: number): boolean {
    return rules > Math.max(FEW, this.size * PART)
  }

  #settle(whole: boolean): void {
    if (whole) this.compiled.compile(this.#entries.values())
    else this.compiled.settle()
  }

  #note(entry: FlowEntry): void {
    this.#entries.set(entry.index, entry)
    for (const port of portsOf(entry)) {
      const users = this.#users.get(port)
      if (users === undefined) this.#users.set(port, new Set([entry.index]))
      else users.add(entry.index)
    }
  }

  #forget(entry: FlowEntry): void {
    this.#entries.delete(entry.index)
    for (const port of portsOf(entry)) {
      const users = this.#users.get(port)
      if (users?.delete(entry.index) && users.size === 0) this.#users.delete(port)
    }
  }
}
