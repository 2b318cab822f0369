/**
 * The table of a switch: which address of which VLAN was last seen on which port. Fixed size, no allocation after
 * the constructor, and laid out in one buffer so that several lcores can share it.
 *
 * @packageDocumentation
 */
import { MAX_PORTS } from '../burst/burst.js'
import * as layout from './mac-table-layout.js'
import { MacTableLock } from './mac-table-lock.js'
import {
  clearMoves,
  forgetHome,
  HELD_NOW,
  homeOf,
  isHeldBack,
  MOVES,
  type MoveLimit,
  noteMove,
} from './mac-table-moves.js'

export { HELD_BACK, HELD_NOW, type MoveLimit } from './mac-table-moves.js'

// V8 makes constants of what a module itself declares; what is imported is loaded and checked at every use.
const {
  ACTIVE_PORTS,
  CHECK_SHIFT,
  COUNT,
  ENTRIES,
  ENTRY_WORDS,
  EVICTED,
  EXPIRED,
  FLAPPED,
  FORMAT,
  FORMAT_VALUE,
  FREE,
  HEADS,
  HIGH_AND_VLAN,
  KEYS,
  LEARNED,
  LIMIT,
  LOW,
  MOVED,
  NEWER,
  NEWEST,
  NEXT,
  NO_KEY,
  OLDER,
  OLDEST,
  PORT,
  PORT_BITS,
  PORT_WORDS,
  PORTS,
  SHIFT,
  SIZE,
  STAMP,
  STATIC,
  STATICS,
  SWEPT,
} = layout

/** Longest hash chain. Chains hold half an entry on average, so chance does not get here. */
const MAX_CHAIN = 16

/** Entries that one sweep removes at most, so that no burst waits for a table full of old entries. */
const SWEEP = 32

/** Returned by {@link MacTable.learn}: the address was not known. */
export const NEW = -1

/** Returned by {@link MacTable.learn}: another lcore is changing the table, and nothing was done. The next frame will do. */
export const BUSY = -2

/** Returned by {@link MacTable.learn}: the address has a static entry, which stays as it is. */
export const GIVEN = -3

/** The 48-bit number of an address that is given as two little-endian loads, of its octets 0 to 3 and 4 to 5. */
export function macOf(low: number, high: number): number {
  const first = ((low & 0xff) << 24) | ((low & 0xff00) << 8) | ((low >>> 8) & 0xff00) | (low >>> 24)
  return (first >>> 0) * 0x10000 + (((high & 0xff) << 8) | (high >>> 8))
}

/** What stands for octets 4 and 5 of an address, as a little-endian load gives them, and its VLAN. */
export function keyOf(high: number, vlan: number): number {
  return high | (vlan << 16)
}

/** One line of {@link MacTable.entries}. */
export interface MacEntry {
  /** The address as a 48-bit number. */
  readonly mac: number
  readonly vlan: number
  /** Id of the port the address was last seen on. */
  readonly port: number
  /** Seconds since then; 0 for static entries. */
  readonly age: number
  /** It was given with {@link MacTable.setStatic}. */
  readonly static: boolean
}

/**
 * Addresses, by VLAN, and the ports they were last seen on.
 *
 * - An address of a VLAN is given as two numbers: `low`, its octets 0 to 3 as a little-endian load gives them, and `key`,
 *   {@link keyOf} of its octets 4 and 5 and the VLAN. In VLAN 0 that is those octets alone.
 * - Lookups take no lock. Changes take a try-lock, which only matters when lcores share the table. An entry can be given
 *   to another address while somebody reads it: the word with the port also has bits of the hash of address and VLAN,
 *   so that {@link portOf} does not pair one with the port of another.
 * - Each port's entries form a list from the oldest to the newest, so that ageing and eviction cost the same
 *   however full the table is.
 * - A full table makes room fairly: a port that holds its share or more loses its own oldest entry, otherwise the
 *   port with most entries does. A guest that sends from invented addresses displaces its own.
 * - Static entries are in no port's list: nothing ages, moves or evicts them.
 */
export class MacTable {
  /** How often an address may move; undefined: as often as it likes. */
  moveLimit: MoveLimit | undefined
  readonly #words: Int32Array
  readonly #counters: Float64Array
  readonly #lock: MacTableLock
  // Numbers from the start: V8 keeps a field that was `undefined` before in a form that costs every hash conversions.
  readonly #key0: number = 0
  readonly #key1: number = 0
  readonly #key2: number = 0
  readonly #shift: number = 0

  /** @param buffer - prepared by {@link initMacTable}, here or on another thread */
  constructor(buffer: ArrayBufferLike) {
    this.#words = new Int32Array(buffer)
    this.#counters = new Float64Array(buffer, 0, 16)
    this.#lock = new MacTableLock(this.#words)
    if (this.#words[FORMAT] !== FORMAT_VALUE)
      throw new TypeError('the buffer does not hold a MAC table')
    this.#key0 = this.#words[KEYS] as number
    this.#key1 = this.#words[KEYS + 1] as number
    this.#key2 = this.#words[KEYS + 2] as number
    this.#shift = this.#words[SHIFT] as number
  }

  /** Addresses in the table, static ones included. */
  get size(): number {
    return this.#words[SIZE] as number
  }

  /** Static entries. */
  get statics(): number {
    return this.#words[STATICS] as number
  }

  /** Most addresses the table can hold. */
  get limit(): number {
    return this.#words[LIMIT] as number
  }

  /** Addresses learnt so far, moves not counted. */
  get learned(): number {
    return this.#counters[LEARNED] as number
  }

  /** Times a known address appeared on another port. */
  get moves(): number {
    return this.#counters[MOVED] as number
  }

  /** Entries given up to make room. */
  get evictions(): number {
    return this.#counters[EVICTED] as number
  }

  /** Entries that reached the ageing time. */
  get expired(): number {
    return this.#counters[EXPIRED] as number
  }

  /** Times an address was held because it moved too often. */
  get flaps(): number {
    return this.#counters[FLAPPED] as number
  }

  /** Second in which the table was last swept clean of old entries. */
  get swept(): number {
    return this.#words[SWEPT] as number
  }

  /** The entry of an address, or 0. It is good until the table is next changed. */
  find(low: number, key: number): number {
    const words = this.#words
    let entry = words[this.#head(this.#hash(low, key))] as number
    // Counted, because another lcore may move the chain under the reader's feet.
    for (let left = MAX_CHAIN; left > 0 && entry !== 0; left--) {
      if (words[entry] === low && words[entry + HIGH_AND_VLAN] === key) return entry
      entry = words[entry + NEXT] as number
    }
    return 0
  }

  /** The port an address was last seen on, or -1. */
  portOf(low: number, key: number): number {
    const words = this.#words
    const hash = this.#hash(low, key)
    let entry = words[this.#head(hash)] as number
    for (let left = MAX_CHAIN; left > 0 && entry !== 0; left--) {
      if (words[entry] === low && words[entry + HIGH_AND_VLAN] === key) {
        const word = words[entry + PORT] as number
        return word >> CHECK_SHIFT === (hash << CHECK_SHIFT) >> CHECK_SHIFT ? word & PORT_BITS : -1
      }
      entry = words[entry + NEXT] as number
    }
    return -1
  }

  /** Whether there is nothing to learn from a frame that came from `port` in second `now`. */
  isFresh(entry: number, port: number, now: number): boolean {
    const words = this.#words
    const word = words[entry + PORT] as number
    if ((word & PORT_BITS) === port && words[entry + STAMP] === now) return true
    return (word & STATIC) !== 0
  }

  /** Whether `entry` is held on another port than `port`, in millisecond `ms` modulo 2^32. */
  isHeldBack(entry: number, port: number, ms: number): boolean {
    const limit = this.moveLimit
    return (
      limit !== undefined && isHeldBack(this.#words, entry, ms, limit) && this.#port(entry) !== port
    )
  }

  /**
   * Notes that an address was seen on `port` in second `now`.
   *
   * @param ms - the millisecond, modulo 2^32, where there is a {@link moveLimit}
   * @returns the port it was on before, {@link NEW}, {@link BUSY}, {@link GIVEN}, {@link HELD_BACK} when it is held on
   * another port, or {@link HELD_NOW} when that just began
   */
  learn(low: number, key: number, port: number, now: number, ms = 0): number {
    if (!this.#lock.try(now)) return BUSY
    const entry = this.find(low, key)
    let result = BUSY
    if (entry !== 0) {
      result = this.#seen(entry, port, now, ms)
    } else if (this.#add(low, key, port, now)) {
      result = NEW
      this.#count(LEARNED)
    }
    this.#lock.release()
    return result
  }

  /**
   * Gives an address a port for good, until {@link removeStatic}.
   *
   * @returns whether there was room for it
   */
  setStatic(low: number, key: number, port: number, now: number): boolean {
    this.#lock.wait(now)
    const done = this.#putStatic(low, key, port, now)
    this.#lock.release()
    return done
  }

  /** Takes a static entry away; one that was learnt stays. Returns whether there was one. */
  removeStatic(low: number, key: number, now: number): boolean {
    this.#lock.wait(now)
    const entry = this.find(low, key)
    const found = entry !== 0 && this.#isStatic(entry)
    if (found) this.#remove(entry)
    this.#lock.release()
    return found
  }

  /**
   * Removes entries not seen for more than `ageing` seconds, a few at a time.
   *
   * @returns whether none is left
   */
  sweep(now: number, ageing: number): boolean {
    if (!this.#lock.try(now)) return false
    const words = this.#words
    let left = SWEEP
    let active = words[ACTIVE_PORTS] as number
    for (let port = 0; port < MAX_PORTS && active > 0 && left > 0; port++) {
      const list = PORTS + port * PORT_WORDS
      if (words[list + COUNT] === 0) continue
      active--
      while (left > 0) {
        const oldest = words[list + OLDEST] as number
        if (oldest === 0 || now - (words[oldest + STAMP] as number) <= ageing) break
        this.#remove(oldest)
        this.#count(EXPIRED)
        left--
      }
    }
    if (left > 0) words[SWEPT] = now
    this.#lock.release()
    return left > 0
  }

  /** Forgets the addresses learnt on one port. */
  removePort(port: number, now: number): void {
    this.#lock.wait(now)
    const list = PORTS + port * PORT_WORDS
    for (let left = this.limit; left > 0 && this.#words[list + OLDEST] !== 0; left--) {
      this.#remove(this.#words[list + OLDEST] as number)
    }
    if (this.moveLimit !== undefined) forgetHome(this.#words, port)
    this.#lock.release()
  }

  /** Forgets all addresses that were learnt; the counters go on. Returns how many there were. */
  flush(now: number): number {
    this.#lock.wait(now)
    const words = this.#words
    const forgotten = this.size - this.statics
    const given: (readonly [low: number, key: number, port: number])[] = []
    this.#each((entry, low, key, port) => {
      if (this.#isStatic(entry)) given.push([low, key, port])
    })
    layout.clearMacTable(words)
    for (const [low, key, port] of given) this.#putStatic(low, key, port, now)
    this.#lock.release()
    return forgotten
  }

  /** All entries, in no particular order. Allocates: for the control plane. */
  entries(now: number): MacEntry[] {
    const found: MacEntry[] = []
    this.#each((entry, low, key, port) => {
      const given = this.#isStatic(entry)
      const age = given ? 0 : Math.max(0, now - (this.#words[entry + STAMP] as number))
      found.push({ mac: macOf(low, key & 0xffff), vlan: key >>> 16, port, age, static: given })
    })
    return found
  }

  /** Entries learnt on one port. */
  countOf(port: number): number {
    return this.#words[PORTS + port * PORT_WORDS + COUNT] as number
  }

  /**
   * What decides which chain an address of a VLAN belongs to.
   *
   * Guests choose their addresses, so which of them meet in a chain must not be for them to choose. The multipliers are
   * secret, random and odd. The last gives any two different words a chance to meet of at most 2 in the number of
   * chains, whichever words they are (multiply-shift hashing, Dietzfelbinger et al. 1997); the first two, with the shift,
   * make that word out of the whole address and VLAN and break up the order of addresses that are counted up.
   */
  #hash(low: number, key: number): number {
    const mixed = (Math.imul(low, this.#key0) + Math.imul(key, this.#key1)) | 0
    return Math.imul(mixed ^ (mixed >>> 15), this.#key2)
  }

  #head(hash: number): number {
    return HEADS + (hash >>> this.#shift)
  }

  #port(entry: number): number {
    return (this.#words[entry + PORT] as number) & PORT_BITS
  }

  #setPort(entry: number, port: number): void {
    this.#words[entry + PORT] = ((this.#words[entry + PORT] as number) & ~PORT_BITS) | port
  }

  #count(counter: number): void {
    this.#counters[counter] = (this.#counters[counter] as number) + 1
  }

  #isStatic(entry: number): boolean {
    return ((this.#words[entry + PORT] as number) & STATIC) !== 0
  }

  /** Calls for every entry in use. */
  #each(visit: (entry: number, low: number, key: number, port: number) => void): void {
    const words = this.#words
    const first = words[ENTRIES] as number
    for (let entry = first; entry < first + this.limit * ENTRY_WORDS; entry += ENTRY_WORDS) {
      const key = words[entry + HIGH_AND_VLAN] as number
      if (key === NO_KEY) continue
      visit(entry, words[entry + LOW] as number, key, this.#port(entry))
    }
  }

  /** Notes a frame from a known address. */
  #seen(entry: number, port: number, now: number, ms: number): number {
    if (this.#isStatic(entry)) return GIVEN
    const words = this.#words
    const before = this.#port(entry)
    if (before === port) {
      words[entry + STAMP] = now
      // Often it is the newest of its port already.
      if (words[entry + NEWER] !== 0) this.#moveTo(entry, before, port)
      return before
    }
    const limit = this.moveLimit
    const verdict = limit === undefined ? MOVES : noteMove(words, entry, before, port, ms, limit)
    if (verdict === MOVES) {
      words[entry + STAMP] = now
      this.#moveTo(entry, before, port)
      this.#count(MOVED)
      return before
    }
    if (verdict === HELD_NOW) {
      this.#count(FLAPPED)
      const home = homeOf(words, entry)
      if (home !== before) this.#moveTo(entry, before, home)
    }
    return verdict
  }

  /** Makes an entry the newest of `port`. */
  #moveTo(entry: number, before: number, port: number): void {
    this.#unlinkFromPort(entry, before)
    if (before !== port) this.#setPort(entry, port)
    this.#linkToPort(entry, port)
  }

  #putStatic(low: number, key: number, port: number, now: number): boolean {
    const words = this.#words
    let entry = this.find(low, key)
    if (entry === 0) {
      if (!this.#add(low, key, port, now)) return false
      entry = this.find(low, key)
    }
    if (!this.#isStatic(entry)) {
      this.#unlinkFromPort(entry, this.#port(entry))
      words[entry + PORT] = (words[entry + PORT] as number) | STATIC
      words[STATICS] = (words[STATICS] as number) + 1
    }
    this.#setPort(entry, port)
    return true
  }

  /** Adds an address that is not there; false when only static entries are in the way. */
  #add(low: number, key: number, port: number, now: number): boolean {
    const words = this.#words
    const hash = this.#hash(low, key)
    const head = this.#head(hash)
    if (words[STATICS] === words[LIMIT] || !this.#cutChain(head)) return false
    if (words[FREE] === 0) this.#makeRoom(port)
    // In a damaged table that may have failed.
    if (words[FREE] === 0) layout.clearMacTable(words)
    const entry = words[FREE] as number
    words[FREE] = words[entry + NEXT] as number
    words[SIZE] = (words[SIZE] as number) + 1
    words[entry] = low
    words[entry + PORT] = (hash << CHECK_SHIFT) | port
    words[entry + STAMP] = now
    words[entry + NEXT] = words[head] as number
    clearMoves(words, entry)
    Atomics.store(words, entry + HIGH_AND_VLAN, key)
    this.#linkToPort(entry, port)
    // Last, and as a release: a reader on another lcore that finds the entry finds it whole.
    Atomics.store(words, head, entry)
    return true
  }

  /** Makes room in a chain that grew too long, at the cost of what was learnt there first; false when all are static. */
  #cutChain(head: number): boolean {
    const words = this.#words
    let first = 0
    let length = 0
    for (let entry = words[head] as number; entry !== 0 && length < MAX_CHAIN; length++) {
      if (!this.#isStatic(entry)) first = entry
      entry = words[entry + NEXT] as number
    }
    if (length < MAX_CHAIN) return true
    this.#evict(first)
    return first !== 0
  }

  #makeRoom(port: number): void {
    const words = this.#words
    let list = PORTS + port * PORT_WORDS
    const own = words[list + COUNT] as number
    const room = (words[LIMIT] as number) - (words[STATICS] as number)
    if (own * (words[ACTIVE_PORTS] as number) < room || own === 0) {
      let most = 0
      for (let at = PORTS; at < HEADS; at += PORT_WORDS) {
        if ((words[at + COUNT] as number) > most) {
          most = words[at + COUNT] as number
          list = at
        }
      }
    }
    this.#evict(words[list + OLDEST] as number)
  }

  #evict(entry: number): void {
    if (entry === 0) return
    this.#remove(entry)
    this.#count(EVICTED)
  }

  #remove(entry: number): void {
    const words = this.#words
    const key = words[entry + HIGH_AND_VLAN] as number
    const head = this.#head(this.#hash(words[entry] as number, key))
    let at = head
    let next = words[head] as number
    for (let left = MAX_CHAIN; left > 0 && next !== entry; left--) {
      at = next + NEXT
      next = words[at] as number
    }
    words[at] = words[entry + NEXT] as number
    if (this.#isStatic(entry)) words[STATICS] = (words[STATICS] as number) - 1
    else this.#unlinkFromPort(entry, this.#port(entry))
    Atomics.store(words, entry + HIGH_AND_VLAN, NO_KEY)
    words[entry + NEXT] = words[FREE] as number
    words[FREE] = entry
    words[SIZE] = (words[SIZE] as number) - 1
  }

  #linkToPort(entry: number, port: number): void {
    const words = this.#words
    const list = PORTS + port * PORT_WORDS
    const newest = words[list + NEWEST] as number
    words[entry + OLDER] = newest
    words[entry + NEWER] = 0
    if (newest === 0) words[list + OLDEST] = entry
    else words[newest + NEWER] = entry
    words[list + NEWEST] = entry
    const count = words[list + COUNT] as number
    if (count === 0) words[ACTIVE_PORTS] = (words[ACTIVE_PORTS] as number) + 1
    words[list + COUNT] = count + 1
  }

  #unlinkFromPort(entry: number, port: number): void {
    const words = this.#words
    const list = PORTS + port * PORT_WORDS
    const older = words[entry + OLDER] as number
    const newer = words[entry + NEWER] as number
    if (older === 0) words[list + OLDEST] = newer
    else words[older + NEWER] = newer
    if (newer === 0) words[list + NEWEST] = older
    else words[newer + OLDER] = older
    const count = (words[list + COUNT] as number) - 1
    if (count === 0) words[ACTIVE_PORTS] = (words[ACTIVE_PORTS] as number) - 1
    words[list + COUNT] = count
  }
}
