/**
 * A flow table as a program: rules as OpenFlow has them, compiled.
 *
 * @packageDocumentation
 */
import { z } from 'zod'
import type { Burst } from '../../burst/burst.js'
import { validate } from '../../config/validate.js'
import { learningSwitch } from '../learning-switch.js'
import { byType } from '../messages.js'
import type { PortDirectory, Program, ProgramContext } from '../program.js'
import type { PortReference } from './actions.js'
import type { Explanation } from './compiler/compiled.js'
import type { Other } from './entry.js'
import { type FlowMeter, Meters, meterSchema } from './meters.js'
import { Normal } from './normal.js'
import { PacketIn } from './packet-in.js'
import type { FlowRule, FlowSelection } from './rule.js'
import { type FlowStatus, FlowTables } from './table.js'

/** How a flow table behaves. */
export interface FlowTableOptions {
  /** Rules to begin with, as objects or as text that `ovs-ofctl add-flow` takes. Default none: all frames are dropped. */
  rules?: readonly (string | FlowRule)[] | undefined
  /** Meters that rules can name. Default none. */
  meters?: readonly FlowMeter[] | undefined
  /** The switch behind the action `normal`. Default a learning switch. */
  normal?: Program | undefined
  /**
   * Called on the lcore's thread for every frame with the action `controller`. The object and its bytes are used again:
   * copy what is to be kept. A guest can make that happen with every frame: be quick, and do not throw.
   */
  onPacketIn?: ((packet: PacketIn) => void) | undefined
}

/** Counts of a flow table. */
export interface FlowTableStats {
  /** Rules there are. */
  readonly rules: number
  /** Frames that no rule decided. */
  readonly others: Readonly<Record<keyof typeof Other, number>>
}

const isProgram = (value: unknown) =>
  typeof value === 'object' &&
  value !== null &&
  'burst' in value &&
  typeof value.burst === 'function'

const options = z.strictObject({
  // Looked at one by one, with better words.
  rules: z.array(z.unknown()).default([]),
  meters: z
    .array(meterSchema)
    .default([])
    .superRefine((meters, ctx) => {
      meters.forEach(({ id }, i) => {
        if (meters.findIndex((other) => other.id === id) === i) return
        const params = { fix: 'give each meter an id of its own' }
        ctx.addIssue({ code: 'custom', path: [i, 'id'], message: 'is there already', params })
      })
    }),
  normal: z.custom<Program>(isProgram, 'is not a program').describe('a program').optional(),
  onPacketIn: z
    .custom<(packet: PacketIn) => void>((value) => typeof value === 'function', 'is not a function')
    .describe('a function')
    .optional(),
})

/** The program. */
export class FlowTable implements Program {
  readonly name = 'flow-table'
  readonly #tables: FlowTables
  readonly #normal: Normal
  readonly #meters: Meters
  #ids: ReadonlyMap<string, number> = new Map()
  readonly #answer = byType('flow-table', {
    add: (message) => this.add(...(field(message, 'rules') as (string | FlowRule)[])),
    modify: (message) => this.modify(field(message, 'rule') as string, message),
    delete: (message) => this.delete(field(message, 'selection') as string, message),
    dump: (message) => this.dump(field(message, 'selection') as string),
    explain: () => this.explain(),
    stats: () => this.stats,
    normal: (message) => this.#normal.program.message?.(field(message, 'message')),
  })

  /** @param given - all of them have defaults */
  constructor(given: FlowTableOptions = {}) {
    const { rules, meters, normal, onPacketIn } = validate(options, given, 'flow table')
    this.#normal = new Normal(normal ?? learningSwitch())
    this.#meters = new Meters(meters)
    const packet = new PacketIn()
    this.#tables = new FlowTables((port) => this.#portOf(port), {
      normal: (_burst, index) => this.#normal.add(index),
      meter: (id, bytes) => this.#meters.pass(id, bytes),
      packetIn: (burst, index, rule, maxLength) => {
        if (onPacketIn === undefined) return
        const entry = this.#tables.entry(rule)
        if (entry !== undefined) onPacketIn(packet.take(burst, index, entry, maxLength))
      },
    })
    this.add(...(rules as (string | FlowRule)[]))
  }

  /** Counts. */
  get stats(): FlowTableStats {
    return { rules: this.#tables.size, others: this.#tables.others }
  }

  /**
   * Adds rules between two bursts, in place of those with the same table, priority and match; all of them or, when one
   * is wrong, none.
   *
   * @throws ConfigError naming every problem
   */
  add(...rules: (string | FlowRule)[]): void {
    this.#tables.add(rules)
  }

  /** Gives all rules whose match is that of `rule` or narrower its actions; with `strict` only that of its match and priority. Returns how many. */
  modify(rule: string | FlowRule, how: { strict?: boolean } = {}): number {
    return this.#tables.modify(rule, how)
  }

  /** Deletes all rules whose match is that of `selection` or narrower; with `strict` only that of its match and priority. Returns how many. */
  delete(selection?: string | FlowSelection, how: { strict?: boolean } = {}): number {
    return this.#tables.delete(selection, how)
  }

  /** The rules and their counters, the most important first. */
  dump(selection?: string | FlowSelection): FlowStatus[] {
    return this.#tables.dump(selection)
  }

  /** What the compiler made of the rules. */
  explain(): Explanation {
    return this.#tables.explain()
  }

  burst(burst: Burst): void {
    const { now } = burst
    this.#tables.tick(now)
    this.#meters.tick(now)
    this.#normal.begin()
    this.#tables.compiled.burst(burst)
    this.#normal.finish(burst)
  }

  portsChanged(ports: PortDirectory): void {
    this.#ids = new Map(ports.ids)
    this.#tables.compile()
    this.#normal.program.portsChanged?.(ports)
  }

  message(message: unknown): unknown {
    return this.#answer(message)
  }

  close(): void {
    this.#normal.program.close?.()
  }

  #portOf(port: PortReference): number {
    return typeof port === 'number' ? port : (this.#ids.get(port) ?? -1)
  }
}

function field(message: object, name: string): unknown {
  return (message as Record<string, unknown>)[name]
}

/** A flow table as a program. */
export function flowTable(
  options: FlowTableOptions | readonly (string | FlowRule)[] = {},
): FlowTable {
  return new FlowTable(Array.isArray(options) ? { rules: options } : (options as FlowTableOptions))
}

/** Makes the program of an lcore, with `data` as its {@link FlowTableOptions}. */
export default function makeFlowTable({ data }: ProgramContext): FlowTable {
  return flowTable((data ?? {}) as FlowTableOptions)
}
