import type { Burst } from '../../../burst/burst.js'
import { pop, push } from '../../../headers/vlan.js'
import type { Action } from '../actions.js'
import { type FlowCounters, type FlowEntry, Other } from '../entry.js'
import { slot } from '../fields.js'
import { FlowKey, snapType } from '../key.js'
import type { Term } from '../match.js'
import { output, outputAll, type Surroundings, sendTo } from '../send.js'
import * as store from '../store.js'
import { ActionCoder, type ActOptions, note } from './act.js'
import type { Candidate } from './candidate.js'
import { extraction, Used } from './extraction.js'
import { findLinear } from './linear.js'
import { condition, literal } from './names.js'
import { MAX_INLINE, planSearches, withoutRule, withRule } from './plan.js'
import type { Search } from './search.js'

const IN_PORT = slot('in_port')

/** What compiled code calls. */
const HELPERS = {
  ...store,
  sendTo,
  output,
  outputAll,
  snapType,
  findLinear,
  popTag: pop,
  pushTag: push,
}

/** What compiled code reads. Updates change it in place, or replace it, between two bursts. */
interface Data {
  rules: Float64Array
  readonly other: Float64Array
  order: Float64Array
  shape: Int32Array
  base: Int32Array
  /** Numbers that each rule has room for, from its base on. */
  room: Int32Array
  params: Int32Array
  searches: readonly Search[]
  readonly around: Surroundings
  readonly key: FlowKey
}

type BurstFunction = (burst: Burst, data: Data) => void

/** Functions by their source, so that rules that differ in numbers only run code that is warm. */
const cache = new Map<string, BurstFunction>()
const MAX_CACHED = 16

/** How a table's rules are found. */
export interface TableExplanation {
  readonly table: number
  readonly rules: number
  /** The searches a frame goes through until no other can find a more important rule. */
  readonly searches: readonly { kind: string; rules: number; fields: string }[]
}

/** What the compiler made of the rules. */
export interface Explanation {
  readonly tables: readonly TableExplanation[]
  /** Different sequences of actions that rules with searched tables have. */
  readonly shapes: number
  /** The function that decides bursts. */
  readonly source: string
}

/** Actions of rules that differ only in numbers, as one of those rules has them. */
interface Shape {
  readonly id: number
  readonly actions: readonly Action[]
}

interface TablePlan {
  readonly table: number
  readonly candidates: Map<number, Candidate>
  /** By their code. */
  readonly shapes: Map<string, Shape>
  /** Undefined for a chain of comparisons with the actions in it. */
  searches: readonly Search[] | undefined
}

/** Stands for all slots. */
const ALL = { has: () => true }

/** Most forms of actions that are kept beside those in use. */
const SPARE_SHAPES = 64

/**
 * Flow tables as one function, specialised for their rules.
 *
 * `add`, `delete` and `modify` change as little as they can, at once what is data; `settle` then makes another function
 * if one is needed. Where they return `false`, everything is to be compiled anew.
 */
export class CompiledFlows {
  readonly #surroundings: Surroundings
  readonly #counters: FlowCounters
  readonly #key = new FlowKey()
  #plans: TablePlan[] = []
  readonly #matched = new Set<number>()
  #paramsInUse = 0
  #stale = false
  #source = ''
  #data: Data
  #function: BurstFunction

  /** @param counters - indices of rules have to be below half their length */
  constructor(counters: FlowCounters, surroundings: Surroundings) {
    this.#counters = counters
    this.#surroundings = surroundings
    this.#data = this.#makeData()
    this.#function = () => {}
    this.compile([])
  }

  burst(burst: Burst): void {
    this.#surroundings.members.follow(burst)
    this.#function(burst, this.#data)
  }

  /** What it does. */
  explain(): Explanation {
    const tables = this.#plans.map(({ table, candidates, searches }) => ({
      table,
      rules: candidates.size,
      searches: searches?.map(({ kind, size, fields }) => ({ kind, rules: size, fields })) ?? [
        { kind: 'inline', rules: candidates.size, fields: '' },
      ],
    }))
    const shapes = this.#plans.reduce((sum, plan) => sum + plan.shapes.size, 0)
    return { tables, shapes, source: this.#source }
  }

  /** Makes everything anew. */
  compile(entries: Iterable<FlowEntry>): void {
    this.#plans = []
    this.#matched.clear()
    this.#paramsInUse = 0
    this.#data = this.#makeData()
    for (const entry of entries) {
      const terms = this.#termsOf(entry)
      if (terms === undefined) continue
      this.#planOf(entry.table).candidates.set(entry.index, { entry, terms })
      for (const term of terms) this.#matched.add(term.slot)
    }
    for (const plan of this.#plans) if (plan.candidates.size > MAX_INLINE) this.#search(plan)
    this.#stale = true
    this.settle()
  }

  /** Goes on with the counters that are there now, which are longer. */
  countersChanged(): void {
    const { rules } = this.#counters
    const most = rules.length / 2
    const data = this.#data
    data.rules = rules
    data.order = copied(data.order, new Float64Array(most))
    data.shape = copied(data.shape, new Int32Array(most))
    data.base = copied(data.base, new Int32Array(most))
    data.room = copied(data.room, new Int32Array(most))
  }

  add(entry: FlowEntry): boolean {
    const terms = this.#termsOf(entry)
    if (terms === undefined) return true
    for (const term of terms) this.#matched.add(term.slot)
    const plan = this.#planOf(entry.table)
    const candidate = { entry, terms }
    plan.candidates.set(entry.index, candidate)
    if (plan.searches === undefined) {
      if (plan.candidates.size > MAX_INLINE) this.#search(plan)
      this.#stale = true
      return true
    }
    if (!this.#register(plan, entry)) return false
    if (plan.searches.some((search) => search.add(candidate))) return true
    const searches = withRule(plan.searches, candidate)
    if (searches === undefined) return false
    plan.searches = searches
    this.#stale = true
    return true
  }

  delete(entry: FlowEntry): boolean {
    const plan = this.#planOf(entry.table)
    const candidate = plan.candidates.get(entry.index)
    if (candidate === undefined) return true
    plan.candidates.delete(entry.index)
    if (plan.searches?.some((search) => search.delete(candidate))) return true
    if (plan.searches !== undefined) plan.searches = withoutRule(plan.searches, candidate)
    this.#stale = true
    return true
  }

  /** Gives a rule the actions of its new entry, or of the same with other ids of ports. */
  modify(entry: FlowEntry): boolean {
    const plan = this.#planOf(entry.table)
    const before = plan.candidates.get(entry.index)
    if (before === undefined) return true
    plan.candidates.set(entry.index, { entry, terms: before.terms })
    if (plan.searches !== undefined) return this.#register(plan, entry)
    this.#stale = true
    return true
  }

  /** Makes the function that the changes since the last time need. */
  settle(): void {
    if (!this.#stale) return
    this.#stale = false
    this.#data.searches = this.#plans.flatMap(({ searches }) => searches ?? [])
    this.#source = this.#write()
    this.#function = functionOf(this.#source)
  }

  #planOf(table: number): TablePlan {
    const found = this.#plans.find((plan) => plan.table === table)
    if (found !== undefined) return found
    const made = { table, candidates: new Map(), shapes: new Map(), searches: undefined }
    this.#plans.push(made)
    this.#plans.sort((a, b) => a.table - b.table)
    return made
  }

  /** Makes a searched table of one that was a chain. */
  #search(plan: TablePlan): void {
    plan.searches = planSearches([...plan.candidates.values()])
    for (const { entry } of plan.candidates.values()) this.#register(plan, entry)
  }

  /** Writes down a rule of a searched table. Returns `false` when there are too many forms of actions that nobody has any more. */
  #register(plan: TablePlan, entry: FlowEntry): boolean {
    const params: number[] = []
    const code = this.#coder(plan, new Used(), ALL, params).code(entry.actions)
    let shape = plan.shapes.get(code)
    if (shape === undefined) {
      if (plan.shapes.size >= plan.candidates.size + SPARE_SHAPES) return false
      shape = { id: plan.shapes.size, actions: entry.actions }
      plan.shapes.set(code, shape)
      this.#stale = true
    }
    const data = this.#data
    data.order[entry.index] = entry.order
    data.shape[entry.index] = shape.id
    // The rule of that index, now or before, may have left enough room.
    if (params.length > (data.room[entry.index] as number))
      this.#makeRoom(entry.index, params.length)
    data.params.set(params, data.base[entry.index])
    return true
  }

  #makeRoom(index: number, numbers: number): void {
    const data = this.#data
    if (this.#paramsInUse + numbers > data.params.length) {
      const grown = new Int32Array(2 * (this.#paramsInUse + numbers))
      grown.set(data.params)
      data.params = grown
    }
    data.base[index] = this.#paramsInUse
    data.room[index] = numbers
    this.#paramsInUse += numbers
  }

  /** Writes actions with their numbers taken out into `params`. */
  #coder({ table }: TablePlan, used: Used, matched: ActOptions['matched'], params: number[]) {
    return new ActionCoder({
      used,
      matched,
      operand: (value) => `params[p + ${literal(params.push(value) - 1)}]`,
      rule: 'r',
      portOf: (port) => this.#surroundings.members.portOf(port),
      label: `t${literal(table)}`,
    })
  }

  /** Conditions of a rule; undefined for one that waits for a port. */
  #termsOf({ inPort, terms }: FlowEntry): readonly Term[] | undefined {
    if (typeof inPort !== 'string') return terms
    const port = this.#surroundings.members.portOf(inPort)
    if (port < 0) return undefined
    return [{ slot: IN_PORT, value: port, mask: -1 }, ...terms]
  }

  #makeData(): Data {
    const { rules, other } = this.#counters
    const most = rules.length / 2
    return {
      rules,
      other,
      order: new Float64Array(most),
      shape: new Int32Array(most),
      base: new Int32Array(most),
      room: new Int32Array(most),
      params: new Int32Array(64),
      searches: [],
      around: this.#surroundings,
      key: this.#key,
    }
  }

  #write(): string {
    const used = new Used()
    const prologues: string[] = []
    const blocks = this.#plans.map((plan) => {
      const { table, searches } = plan
      const body =
        searches === undefined
          ? this.#inline(plan, used)
          : this.#searched(plan, searches, used, prologues)
      const open = table === 0 ? '{' : `if (next === ${literal(table)}) {`
      return `t${literal(table)}: ${open}\n${body}\n${note(Other.missed)}\ncontinue frames\n}`
    })
    return assemble(used, prologues, blocks)
  }

  /** Comparisons with the actions behind each. */
  #inline({ table, candidates }: TablePlan, used: Used): string {
    return [...candidates.values()]
      .sort((a, b) => b.entry.order - a.entry.order)
      .map(({ entry, terms }) => {
        for (const term of terms) used.slot(term.slot)
        const coder = new ActionCoder({
          used,
          matched: this.#matched,
          operand: literal,
          rule: literal(entry.index),
          portOf: (port) => this.#surroundings.members.portOf(port),
          label: `t${literal(table)}`,
        })
        const test = terms.map(condition).join(' && ') || 'true'
        return `if (${test}) {\n${hit(literal(entry.index))}\n${coder.code(entry.actions)}\n}`
      })
      .join('\n')
  }

  /** Searches, and then the actions of the rule that was found. */
  #searched(plan: TablePlan, searches: readonly Search[], used: Used, prologues: string[]): string {
    const alone = searches.length === 1
    const lines = alone ? ['let r = -1'] : ['let r = -1, o = -1']
    for (const search of searches) {
      const id = prologues.length
      prologues.push(search.prologue(id, `data.searches[${literal(id)}]`))
      lines.push(search.code(id, used, alone))
    }
    lines.push('if (r >= 0) {', hit('r'), 'const p = base[r]')
    const shapes = [...plan.shapes.values()].map(({ id, actions }) => ({
      id,
      code: this.#coder(plan, used, this.#matched, []).code(actions),
    }))
    const [only] = shapes
    if (shapes.length === 1 && only !== undefined) lines.push(only.code)
    else {
      lines.push('switch (shape[r]) {')
      for (const { id, code } of shapes) lines.push(`case ${literal(id)}: {`, code, '}')
      lines.push('}')
    }
    lines.push('}')
    return lines.join('\n')
  }
}

function copied<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from)
  return to
}

/** Counts a frame for a rule. */
function hit(rule: string): string {
  return `rules[2 * ${rule}] += 1; rules[2 * ${rule} + 1] += size`
}

/** The function around the tables. */
function assemble(used: Used, prologues: readonly string[], blocks: readonly string[]): string {
  return [
    "'use strict'",
    `const { ${Object.keys(HELPERS).join(', ')} } = helpers`,
    'return function flows(b, data) {',
    'const { view, offset, length, outPort, count } = b, in_port = b.inPort',
    'const { rules, other, order, shape, base, params, around, key } = data, slots = key.slots',
    ...prologues.filter((line) => line !== ''),
    'frames: for (let i = 0; i < count; i++) {',
    'const size = length[i]',
    `if (size < 14) { ${note(Other.malformed)}; continue }`,
    'let at = offset[i], next = 0',
    extraction(used),
    ...blocks,
    note(Other.missed),
    '}',
    '}',
  ].join('\n')
}

function functionOf(source: string): BurstFunction {
  let made = cache.get(source)
  if (made === undefined) {
    made = new Function('helpers', source)(HELPERS) as BurstFunction
    const [oldest] = cache.keys()
    if (cache.size >= MAX_CACHED && oldest !== undefined) cache.delete(oldest)
  } else cache.delete(source)
  cache.set(source, made)
  return made
}
