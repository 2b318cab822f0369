import type { Burst } from '../../../burst/burst.js'
import { pop, push } from '../../../headers/vlan.js'
import type { PortReference } from '../actions.js'
import { type FlowCounters, type FlowEntry, Other } from '../entry.js'
import { slot } from '../fields.js'
import { FlowKey, snapType } from '../key.js'
import type { Term } from '../match.js'
import { output, outputAll, type Surroundings, sendTo } from '../send.js'
import * as store from '../store.js'
import { ActionCoder, note } from './act.js'
import type { Candidate } from './candidate.js'
import { extraction, Used } from './extraction.js'
import { findLinear } from './linear.js'
import { condition, literal } from './names.js'
import { MAX_INLINE, planSearches } from './plan.js'
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
  readonly rules: Float64Array
  readonly other: Float64Array
  readonly order: Float64Array
  readonly shape: Int32Array
  readonly base: Int32Array
  params: Int32Array
  readonly searches: readonly Search[]
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

interface TablePlan {
  readonly table: number
  readonly candidates: Map<number, Candidate>
  /** Undefined for a chain of comparisons with the actions in it. */
  readonly searches: Search[] | undefined
}

/** Flow tables as one function, specialised for their rules. */
export class CompiledFlows {
  readonly #surroundings: Surroundings
  readonly #portOf: (port: PortReference) => number
  readonly #key = new FlowKey()
  #plans = new Map<number, TablePlan>()
  /** Code of the actions of searched tables, by itself: its number. */
  #shapes = new Map<string, number>()
  #matched: ReadonlySet<number> = new Set()
  #paramsInUse = 0
  #source = ''
  #data: Data
  #function: BurstFunction

  /** @param portOf - id of a port, -1 where there is none of the name */
  constructor(
    portOf: (port: PortReference) => number,
    counters: FlowCounters,
    surroundings: Surroundings,
  ) {
    this.#portOf = portOf
    this.#surroundings = surroundings
    this.#data = this.#makeData(counters, [])
    this.#function = () => {}
    this.compile([], counters)
  }

  burst(burst: Burst): void {
    this.#function(burst, this.#data)
  }

  /** What it does. */
  explain(): Explanation {
    const tables = [...this.#plans.values()].map(({ table, candidates, searches }) => ({
      table,
      rules: candidates.size,
      searches: searches?.map(({ kind, size, fields }) => ({ kind, rules: size, fields })) ?? [
        { kind: 'inline', rules: candidates.size, fields: '' },
      ],
    }))
    return { tables, shapes: this.#shapes.size, source: this.#source }
  }

  /** Makes everything anew. Indices of rules have to be below the length of the counters. */
  compile(entries: Iterable<FlowEntry>, counters: FlowCounters): void {
    this.#plans = new Map()
    this.#shapes = new Map()
    this.#paramsInUse = 0
    const byTable = new Map<number, Candidate[]>()
    const matched = new Set<number>()
    for (const entry of entries) {
      const terms = this.#termsOf(entry)
      const list = byTable.get(entry.table) ?? []
      byTable.set(entry.table, list)
      if (terms === undefined) continue
      list.push({ entry, terms })
      for (const term of terms) matched.add(term.slot)
    }
    this.#matched = matched
    for (const [table, list] of [...byTable].sort(([a], [b]) => a - b)) {
      const candidates = new Map(list.map((candidate) => [candidate.entry.index, candidate]))
      const searches = list.length <= MAX_INLINE ? undefined : planSearches(list)
      this.#plans.set(table, { table, candidates, searches })
    }
    const searches = [...this.#plans.values()].flatMap((plan) => plan.searches ?? [])
    this.#data = this.#makeData(counters, searches)
    this.#source = this.#write()
    this.#function = functionOf(this.#source)
  }

  /** Adds a rule to the data. Returns `false`, with nothing changed, where that takes another function. */
  add(entry: FlowEntry): boolean {
    const plan = this.#plans.get(entry.table)
    const terms = this.#termsOf(entry)
    if (plan?.searches === undefined || terms === undefined) return false
    if (entry.index >= this.#data.order.length) return false
    const used = new Used()
    const { code, params } = this.#shapeOf(entry, used)
    const shape = this.#shapes.get(code)
    if (shape === undefined) return false
    const candidate = { entry, terms }
    this.#setActions(entry, shape, params)
    if (!plan.searches.some((search) => search.add(candidate))) return false
    plan.candidates.set(entry.index, candidate)
    return true
  }

  /** Takes a rule out of the data. Returns `false` where that takes another function. */
  delete(entry: FlowEntry): boolean {
    const plan = this.#plans.get(entry.table)
    const candidate = plan?.candidates.get(entry.index)
    if (plan?.searches === undefined || candidate === undefined) return false
    if (!plan.searches.some((search) => search.delete(candidate))) return false
    plan.candidates.delete(entry.index)
    return true
  }

  /** Gives a rule the actions that its entry has now. */
  modify(entry: FlowEntry): boolean {
    const plan = this.#plans.get(entry.table)
    if (plan?.searches === undefined || !plan.candidates.has(entry.index)) return false
    const { code, params } = this.#shapeOf(entry, new Used())
    const shape = this.#shapes.get(code)
    if (shape === undefined) return false
    this.#setActions(entry, shape, params)
    return true
  }

  /** Conditions of a rule; undefined for one that waits for a port. */
  #termsOf({ spec }: FlowEntry): readonly Term[] | undefined {
    const { terms } = spec.match
    if (typeof spec.inPort !== 'string') return terms
    const port = this.#portOf(spec.inPort)
    if (port < 0) return undefined
    return [{ slot: IN_PORT, value: port, mask: -1 }, ...terms]
  }

  #makeData({ rules, other }: FlowCounters, searches: readonly Search[]): Data {
    const most = rules.length / 2
    return {
      rules,
      other,
      order: new Float64Array(most),
      shape: new Int32Array(most),
      base: new Int32Array(most),
      params: new Int32Array(64),
      searches,
      around: this.#surroundings,
      key: this.#key,
    }
  }

  #setActions({ index, order }: FlowEntry, shape: number, params: readonly number[]): void {
    const data = this.#data
    if (this.#paramsInUse + params.length > data.params.length) {
      const grown = new Int32Array(2 * (this.#paramsInUse + params.length))
      grown.set(data.params)
      data.params = grown
    }
    data.order[index] = order
    data.shape[index] = shape
    data.base[index] = this.#paramsInUse
    data.params.set(params, this.#paramsInUse)
    this.#paramsInUse += params.length
  }

  /** Code of a rule's actions with its numbers taken out. */
  #shapeOf({ spec, table }: FlowEntry, used: Used): { code: string; params: number[] } {
    const params: number[] = []
    const coder = new ActionCoder({
      used,
      matched: this.#matched,
      operand: (value) => `params[p + ${literal(params.push(value) - 1)}]`,
      rule: 'r',
      portOf: this.#portOf,
      label: `t${literal(table)}`,
    })
    return { code: coder.code(spec.actions), params }
  }

  #write(): string {
    const used = new Used()
    const prologues: string[] = []
    const blocks = [...this.#plans.values()].map((plan) => {
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
          portOf: this.#portOf,
          label: `t${literal(table)}`,
        })
        const test = terms.map(condition).join(' && ') || 'true'
        return `if (${test}) {\n${hit(literal(entry.index))}\n${coder.code(entry.spec.actions)}\n}`
      })
      .join('\n')
  }

  /** Searches, and then the actions of the rule that was found. */
  #searched(
    { candidates }: TablePlan,
    searches: readonly Search[],
    used: Used,
    prologues: string[],
  ): string {
    const alone = searches.length === 1
    const lines = alone ? ['let r = -1'] : ['let r = -1, o = -1']
    for (const search of searches) {
      const id = prologues.length
      prologues.push(search.prologue(id, `data.searches[${literal(id)}]`))
      lines.push(search.code(id, used, alone))
    }
    const codes = new Map<number, string>()
    for (const { entry } of candidates.values()) {
      const { code, params } = this.#shapeOf(entry, used)
      let shape = this.#shapes.get(code)
      if (shape === undefined) {
        shape = this.#shapes.size
        this.#shapes.set(code, shape)
      }
      codes.set(shape, code)
      this.#setActions(entry, shape, params)
    }
    lines.push('if (r >= 0) {', hit('r'), 'const p = base[r]')
    const [only] = codes.values()
    if (codes.size === 1 && only !== undefined) lines.push(only)
    else {
      lines.push('switch (shape[r]) {')
      for (const [shape, code] of codes) lines.push(`case ${literal(shape)}: {`, code, '}')
      lines.push('}')
    }
    lines.push('}')
    return lines.join('\n')
  }
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
