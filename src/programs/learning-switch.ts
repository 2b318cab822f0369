/**
 * A learning switch: every frame goes to the port on which its destination was last seen as a source, and to all
 * ports when that is not known. VLAN tags are carried along and not looked at.
 *
 * @packageDocumentation
 */
import * as z from 'zod'
import { type Burst, MAX_PORTS, DROP as NOWHERE } from '../burst/burst.js'
import { validate } from '../config/validate.js'
import { formatMac } from '../headers/mac.js'
import { flood } from './flood.js'
import { MacTable, macOf } from './mac-table.js'
import { initMacTable, macTableBytes } from './mac-table-memory.js'
import { byType } from './messages.js'
import type { PortDirectory, Program, ProgramContext } from './program.js'

/** How a learning switch behaves. */
export interface LearningSwitchOptions {
  /** Seconds after which an address that was not seen is forgotten, 1 to 1000000. Default 300, as in OVS. */
  ageing?: number | undefined
  /** Most addresses, 16 to 1048576. Default 8192, as in OVS. */
  tableSize?: number | undefined
  /**
   * A table made by {@link sharedMacTable}, for several lcores of one switch, or to keep what was learnt when the
   * program is replaced. Default: a table of its own.
   */
  table?: SharedArrayBuffer | undefined
  /** Forward what is sent to `01:80:c2:00:00:00` to `0f`, which a bridge keeps to itself (IEEE 802.1Q, 8.6.3). Default false. */
  forwardBpdu?: boolean | undefined
  /**
   * Called on the lcore's thread when a known address appears on another port, with the address as a 48-bit number and
   * the ids of the ports. A guest can make that happen with every frame: be quick, and do not throw.
   */
  onMove?: ((mac: number, from: number, to: number) => void) | undefined
}

/** An address that the switch knows. */
export interface LearntAddress {
  /** The address, `02:00:00:00:00:01`. */
  readonly mac: string
  /** Name of the port it was last seen on. */
  readonly port: string
  /** Seconds since then. */
  readonly age: number
}

/** Counts of a learning switch; of all lcores that share its table. */
export interface LearningSwitchStats {
  /** Addresses in the table. */
  readonly size: number
  /** Most addresses it can hold. */
  readonly limit: number
  /** Addresses learnt so far. */
  readonly learned: number
  /** Times an address appeared on another port. */
  readonly moves: number
  /** Addresses forgotten to make room. */
  readonly evictions: number
  /** Addresses that reached the ageing time. */
  readonly expired: number
}

const options = z.strictObject({
  ageing: z.int().min(1).max(1_000_000).default(300),
  tableSize: z.int().min(16).max(1_048_576).default(8192),
  table: z.instanceof(SharedArrayBuffer).describe('what sharedMacTable returned').optional(),
  forwardBpdu: z.boolean().default(false),
  onMove: z
    .custom<(mac: number, from: number, to: number) => void>(
      (value) => typeof value === 'function',
      'is not a function',
    )
    .describe('a function')
    .optional(),
})

/** A table of addresses that several learning switches can be given at the same time or one after the other. */
export function sharedMacTable(tableSize = 8192): SharedArrayBuffer {
  const { tableSize: limit } = validate(options, { tableSize }, 'shared MAC table')
  const buffer = new SharedArrayBuffer(macTableBytes(limit))
  initMacTable(buffer, limit)
  return buffer
}

/** A constant of this module, because V8 does not make one of an import. */
const DROP = NOWHERE

/** Bytes of an Ethernet header; shorter frames are dropped. */
const HEADER = 14

/** Verdict of this program alone: all ready ports except the one the frame came from. */
const FLOOD = -2

/** No verdict yet. */
const UNDECIDED = -3

/** The program. */
export class LearningSwitch implements Program {
  readonly name = 'learning-switch'
  readonly #table: MacTable
  readonly #ageing: number
  readonly #forwardBpdu: boolean
  readonly #onMove: ((mac: number, from: number, to: number) => void) | undefined
  readonly #answer = byType('learning-switch', {
    entries: () => this.entries(),
    flush: () => this.flush(),
    stats: () => this.stats,
  })
  #names: ReadonlyMap<number, string> = new Map()
  #burst: Burst | undefined

  /** @param given - all of them have defaults */
  constructor(given: LearningSwitchOptions = {}) {
    const { ageing, tableSize, table, forwardBpdu, onMove } = validate(
      options,
      given,
      'learning switch',
    )
    this.#table = tableIn(table, tableSize)
    this.#ageing = ageing
    this.#forwardBpdu = forwardBpdu
    this.#onMove = onMove
  }

  /** Addresses in the table. */
  get size(): number {
    return this.#table.size
  }

  /** Times a known address appeared on another port. */
  get moves(): number {
    return this.#table.moves
  }

  /** All counts. */
  get stats(): LearningSwitchStats {
    const { size, limit, learned, moves, evictions, expired } = this.#table
    return { size, limit, learned, moves, evictions, expired }
  }

  /** The addresses it knows. */
  entries(): LearntAddress[] {
    return this.#table
      .entries(this.#now())
      .filter(({ age }) => age <= this.#ageing)
      .map(({ mac, port, age }) => ({
        mac: formatMac(mac),
        port: this.#names.get(port) ?? `#${port}`,
        age,
      }))
  }

  /** Forgets all addresses. Returns how many there were. */
  flush(): number {
    const { size } = this.#table
    this.#table.flush(this.#now())
    return size
  }

  burst(burst: Burst): void {
    const { view, offset, length, outPort, inPort, count } = burst
    const table = this.#table
    const now = Math.floor(burst.now / 1000)
    this.#burst = burst
    if (table.swept !== now) table.sweep(now, this.#ageing)

    // Frames of one burst mostly have the same addresses, so a frame is first compared with the one before, by the 12
    // bytes of both addresses. What is remembered of that ends with the burst, because between two bursts anything may
    // change.
    let first = 0
    let second = 0
    let third = 0
    let verdict = UNDECIDED
    for (let i = 0; i < count; i++) {
      if ((length[i] as number) < HEADER) continue
      const at = offset[i] as number
      const a = view.getInt32(at, true)
      const b = view.getInt32(at + 4, true)
      const c = view.getInt32(at + 8, true)
      if (a !== first || b !== second || c !== third || verdict === UNDECIDED) {
        if (c !== third || b >>> 16 !== second >>> 16 || verdict === UNDECIDED) {
          const low = (b >>> 16) | (c << 16)
          const high = c >>> 16
          const entry = table.find(low, high)
          if ((entry === 0 || !table.isFresh(entry, inPort, now)) && isStation(low, high)) {
            this.#learn(low, high, inPort, now)
            // The destination of the frame before may be the address just learnt.
            verdict = UNDECIDED
          }
        }
        if (a !== first || b << 16 !== second << 16 || verdict === UNDECIDED)
          verdict = this.#verdict(burst, a, b & 0xffff)
        first = a
        second = b
        third = c
      }
      if (verdict === FLOOD) flood(burst, i)
      else outPort[i] = verdict
    }
  }

  portsChanged({ names }: PortDirectory): void {
    const now = this.#now()
    for (let id = 0; id < MAX_PORTS; id++) {
      if (this.#table.countOf(id) === 0) continue
      const name = names.get(id)
      const before = this.#names.get(id)
      // Ids are used again: another port may have the id now.
      if (name === undefined || (before !== undefined && before !== name))
        this.#table.removePort(id, now)
    }
    this.#names = new Map(names)
  }

  message(message: unknown): unknown {
    return this.#answer(message)
  }

  /** Port id, `DROP` or `FLOOD` for a destination. */
  #verdict(burst: Burst, low: number, high: number): number {
    if ((low & 1) !== 0) return isReserved(low, high) && !this.#forwardBpdu ? DROP : FLOOD
    const port = this.#table.portOf(low, high)
    if (port === burst.inPort) return DROP
    if (port < 0) return FLOOD
    return burst.isReady[port] === 1 ? port : FLOOD
  }

  #learn(low: number, high: number, port: number, now: number): void {
    const before = this.#table.learn(low, high, port, now)
    if (before >= 0 && before !== port) this.#onMove?.(macOf(low, high), before, port)
  }

  /** Seconds on the clock of the bursts; it goes on while there are none. */
  #now(): number {
    return this.#burst === undefined ? 0 : Math.floor(this.#burst.now / 1000)
  }
}

/** Whether a source address can be that of a station: not a group, and not nothing. */
function isStation(low: number, high: number): boolean {
  return (low & 1) === 0 && (low | high) !== 0
}

/** Whether a destination is one of `01:80:c2:00:00:00` to `0f`. */
function isReserved(low: number, high: number): boolean {
  return low === 0x00c28001 && (high & 0xf0ff) === 0
}

function tableIn(shared: SharedArrayBuffer | undefined, limit: number): MacTable {
  if (shared !== undefined) return new MacTable(shared)
  const buffer = new ArrayBuffer(macTableBytes(limit))
  initMacTable(buffer, limit)
  return new MacTable(buffer)
}

/** A learning switch as a program. */
export function learningSwitch(options: LearningSwitchOptions = {}): LearningSwitch {
  return new LearningSwitch(options)
}

/** Makes the program of an lcore, with `data` as its {@link LearningSwitchOptions}. */
export default function makeLearningSwitch({ data }: ProgramContext): LearningSwitch {
  return learningSwitch((data ?? {}) as LearningSwitchOptions)
}
