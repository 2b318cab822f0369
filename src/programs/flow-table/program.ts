/**
 * A flow table as a program: rules as OpenFlow has them, compiled.
 *
 * @packageDocumentation
 */
import * as z from 'zod'
import type { Burst } from '../../burst/burst.js'
import { validate } from '../../config/validate.js'
import { learningSwitch } from '../learning-switch.js'
import { byType } from '../messages.js'
import type { PortDirectory, Program, ProgramContext } from '../program.js'
import type { FlowStatus, FlowTableStats } from './book.js'
import type { Explanation } from './compiler/compiled.js'
import type { Follower } from './follower.js'
import { Members } from './members.js'
import { type FlowMeter, Meters, metersSchema, shareMeters } from './meters.js'
import { Normal } from './normal.js'
import { PacketIn } from './packet-in.js'
import { type FlowMessage, type FlowReplica, ReplicaTables } from './replica.js'
import type { FlowRule, FlowSelection } from './rule.js'
import type { Surroundings } from './send.js'
import { FlowTables } from './table.js'

/** How a flow table behaves. */
export interface FlowTableOptions {
  /** Rules to begin with, as objects or as text that `ovs-ofctl add-flow` takes. Default none: all frames are dropped. */
  rules?: readonly (string | FlowRule)[] | undefined
  /** Meters that rules can name. Default none. */
  meters?: readonly FlowMeter[] | undefined
  /** Instead of rules and meters of its own: those of `SharedFlows`, by its `replica()`. */
  replica?: FlowReplica | undefined
  /** The switch behind the action `normal`. Default a learning switch. */
  normal?: Program | undefined
  /**
   * Called on the lcore's thread for every frame with the action `controller`. The object and its bytes are used again:
   * copy what is to be kept. A guest can make that happen with every frame: be quick, and do not throw.
   */
  onPacketIn?: ((packet: PacketIn) => void) | undefined
}

const isProgram = (value: unknown) =>
  typeof value === 'object' &&
  value !== null &&
  'burst' in value &&
  typeof value.burst === 'function'

const isReplica = (value: unknown) =>
  typeof value === 'object' &&
  value !== null &&
  'roster' in value &&
  value.roster instanceof SharedArrayBuffer

const schema = z.strictObject({
  // Looked at one by one, with better words.
  rules: z.array(z.unknown()).default([]),
  meters: metersSchema,
  replica: z
    .custom<FlowReplica>(isReplica, 'is no replica of rules')
    .describe('what SharedFlows.replica() returned')
    .optional(),
  normal: z.custom<Program>(isProgram, 'is not a program').describe('a program').optional(),
  onPacketIn: z
    .custom<(packet: PacketIn) => void>((value) => typeof value === 'function', 'is not a function')
    .describe('a function')
    .optional(),
})

const options = schema.superRefine(({ rules, meters, replica }, ctx) => {
  if (replica === undefined || rules.length + meters.length === 0) return
  const path = [rules.length > 0 ? 'rules' : 'meters']
  const params = { fix: 'give them to SharedFlows' }
  ctx.addIssue({ code: 'custom', path, message: 'are given beside a replica', params })
})

/** The program. */
export class FlowTable implements Program {
  readonly name = 'flow-table'
  readonly #follower: Follower
  /** Its own rules, or those it follows. */
  readonly #own: FlowTables | undefined
  readonly #replica: ReplicaTables | undefined
  readonly #normal: Normal
  readonly #meters: Meters
  readonly #answer = byType('flow-table', {
    add: (message) => this.add(...(field(message, 'rules') as (string | FlowRule)[])),
    modify: (message) => this.modify(field(message, 'rule') as string, message),
    delete: (message) => this.delete(field(message, 'selection') as string, message),
    dump: (message) => this.dump(field(message, 'selection') as string),
    explain: () => this.explain(),
    stats: () => this.stats,
    normal: (message) => this.#normal.program.message?.(field(message, 'message')),
    follow: (message) => this.#follow(message as FlowMessage),
  })

  /** @param given - all of them have defaults */
  constructor(given: FlowTableOptions = {}) {
    const { rules, meters, replica, normal, onPacketIn } = validate(options, given, 'flow table')
    this.#normal = new Normal(normal ?? learningSwitch())
    this.#meters = new Meters(shareMeters(meters))
    const packet = new PacketIn()
    const around: Surroundings = {
      members: new Members(),
      normal: (_burst, index) => this.#normal.add(index),
      meter: (id, bytes) => this.#meters.pass(id, bytes),
      packetIn: (burst, index, rule, maxLength) => {
        if (onPacketIn === undefined) return
        const entry = this.#follower.entry(rule)
        if (entry !== undefined) onPacketIn(packet.take(burst, index, entry, maxLength))
      },
    }
    if (replica === undefined) this.#own = new FlowTables(around)
    else this.#replica = new ReplicaTables(replica, this.#meters, around)
    this.#follower = ((this.#own ?? this.#replica) as FlowTables | ReplicaTables).follower
    this.#own?.add(rules as (string | FlowRule)[])
  }

  /** Counts. With shared rules, `others` has what was counted in the memory of this lcore, by those that had it before as well. */
  get stats(): FlowTableStats {
    return (this.#own?.book ?? (this.#replica as ReplicaTables)).stats
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
    return this.#follower.compiled.explain()
  }

  burst(burst: Burst): void {
    const { now } = burst
    this.#own?.tick(now)
    this.#meters.open(now)
    this.#normal.begin()
    this.#follower.compiled.burst(burst)
    this.#meters.close()
    this.#normal.finish(burst)
  }

  portsChanged(ports: PortDirectory): void {
    this.#follower.portsChanged(ports)
    this.#normal.program.portsChanged?.(ports)
  }

  message(message: unknown): unknown {
    return this.#answer(message)
  }

  close(): void {
    this.#replica?.close()
    this.#normal.program.close?.()
  }

  /** The rules, where they are its own. */
  get #tables(): FlowTables {
    if (this.#own !== undefined) return this.#own
    throw new TypeError('these rules are shared: change and dump them with SharedFlows')
  }

  #follow(message: FlowMessage): void {
    if (this.#replica === undefined)
      throw new TypeError('these rules follow no others: make the flow table with a replica')
    this.#replica.follow(message)
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
