/**
 * The table of a learning switch: which address was last seen on which port. Fixed size, no allocation after
 * the constructor, and laid out in one buffer so that several lcores can share it.
 *
 * @packageDocumentation
 */
import { MAX_PORTS } from '../burst/burst.js'
import {
  ACTIVE_PORTS,
  COUNT,
  clearMacTable,
  ENTRIES,
  ENTRY_WORDS,
  EVICTED,
  EXPIRED,
  FORMAT,
  FORMAT_VALUE,
  FREE,
  HEADS,
  HIGH_AND_PORT,
  KEYS,
  LEARNED,
  LIMIT,
  LOW,
  MOVED,
  NEWER,
  NEWEST,
  NEXT,
  OLDER,
  OLDEST,
  PORT_WORDS,
  PORTS,
  SHIFT,
  SIZE,
  STAMP,
  SWEPT,
} from './mac-table-layout.js'
import { MacTableLock } from './mac-table-lock.js'

/** Longest hash chain. Chains hold half an entry on average, so chance does not get here. */
const MAX_CHAIN = 16

/** Entries that one sweep removes at most, so that no burst waits for a table full of old entries. */
const SWEEP = 32

/** Returned by {@link MacTable.learn}: the address was not known. */
export const NEW = -1

/** Returned by {@link MacTable.learn}: another lcore is changing the table, and nothing was done. The next frame will do. */
export const BUSY = -2

/** The 48-bit number of an address that is given as two little-endian loads, of its octets 0 to 3 and 4 to 5. */
export function macOf(low: number, high: number): number {
  const first = ((low & 0xff) << 24) | ((low & 0xff00) << 8) | ((low >>> 8) & 0xff00) | (low >>> 24)
  return (first >>> 0) * 0x10000 + (((high & 0xff) << 8) | (high >>> 8))
}

/** One line of {@link MacTable.entries}. */
export interface MacEntry {
  /** The address as a 48-bit number. */
  readonly mac: number
  /** Id of the port the address was last seen on. */
  readonly port: number
  /** Seconds since then. */
  readonly age: number
}

/**
 * Addresses and the ports they were last seen on.
 *
 * - Lookups take no lock. Changes take a try-lock, which only matters when lcores share the table.
 * - Each port's entries form a list from the oldest to the newest, so that ageing and eviction cost the same
 *   however full the table is.
 * - A full table makes room fairly: a port that holds its share or more loses its own oldest entry, otherwise the
 *   port with most entries does. A guest that sends from invented addresses displaces its own.
 */
export class MacTable {
  readonly #words: Int32Array
  readonly #counters: Float64Array
  readonly #lock: MacTableLock
  readonly #key0: number
  readonly #key1: number
  readonly #key2: number
  readonly #shift: number

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

  /** Addresses in the table. */
  get size(): number {
    return this.#words[SIZE] as number
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

  /** Second in which the table was last swept clean of old entries. */
  get swept(): number {
    return this.#words[SWEPT] as number
  }

  /** The entry of an address, or 0. It is good until the table is next changed. */
  find(low: number, high: number): number {
    const words = this.#words
    let entry = words[this.#head(low, high)] as number
    // Counted, because another lcore may move the chain under the reader's feet.
    for (let left = MAX_CHAIN; left > 0 && entry !== 0; left--) {
      if (words[entry] === low && ((words[entry + HIGH_AND_PORT] as number) & 0xffff) === high)
        return entry
      entry = words[entry + NEXT] as number
    }
    return 0
  }

  /** The port an address was last seen on, or -1. */
  portOf(low: number, high: number): number {
    const words = this.#words
    let entry = words[this.#head(low, high)] as number
    for (let left = MAX_CHAIN; left > 0 && entry !== 0; left--) {
      // One load for the port and half of the address: another lcore may give the entry to another address meanwhile.
      const word = words[entry + HIGH_AND_PORT] as number
      if (words[entry] === low && (word & 0xffff) === high) return word >>> 16
      entry = words[entry + NEXT] as number
    }
    return -1
  }

  /** Whether `entry` names port `port` and was seen in second `now`: then there is nothing to learn. */
  isFresh(entry: number, port: number, now: number): boolean {
    const words = this.#words
    return (words[entry + HIGH_AND_PORT] as number) >>> 16 === port && words[entry + STAMP] === now
  }

  /**
   * Notes that an address was seen on `port` in second `now`.
   *
   * @returns the port it was on before, {@link NEW} or {@link BUSY}
   */
  learn(low: number, high: number, port: number, now: number): number {
    if (!this.#lock.try(now)) return BUSY
    const words = this.#words
    const head = this.#head(low, high)
    let last = 0
    let length = 0
    let entry = words[head] as number
    while (entry !== 0 && length < MAX_CHAIN && !this.#holds(entry, low, high)) {
      last = entry
      entry = words[entry + NEXT] as number
      length++
    }
    let before = NEW
    if (length < MAX_CHAIN && entry !== 0) {
      before = this.#port(entry)
      this.#refresh(entry, before, port, now)
    } else {
      // The last of a chain that grew too long is the one that was learnt first.
      if (length === MAX_CHAIN) this.#evict(last)
      this.#add(head, low, high, port, now)
    }
    this.#lock.release()
    return before
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

  /** Forgets the addresses of one port. */
  removePort(port: number, now: number): void {
    this.#lock.wait(now)
    const list = PORTS + port * PORT_WORDS
    for (let left = this.limit; left > 0 && this.#words[list + OLDEST] !== 0; left--) {
      this.#remove(this.#words[list + OLDEST] as number)
    }
    this.#lock.release()
  }

  /** Forgets all addresses; the counters go on. */
  flush(now: number): void {
    this.#lock.wait(now)
    clearMacTable(this.#words)
    this.#lock.release()
  }

  /** All entries, in no particular order. Allocates: for the control plane. */
  entries(now: number): MacEntry[] {
    const words = this.#words
    const found: MacEntry[] = []
    const first = words[ENTRIES] as number
    for (let entry = first; entry < first + this.limit * ENTRY_WORDS; entry += ENTRY_WORDS) {
      const port = this.#port(entry)
      if (port >= MAX_PORTS) continue
      const high = (words[entry + HIGH_AND_PORT] as number) & 0xffff
      const age = Math.max(0, now - (words[entry + STAMP] as number))
      found.push({ mac: macOf(words[entry + LOW] as number, high), port, age })
    }
    return found
  }

  /** Entries on one port. */
  countOf(port: number): number {
    return this.#words[PORTS + port * PORT_WORDS + COUNT] as number
  }

  /**
   * The first entry of the chain that an address belongs to.
   *
   * Guests choose their addresses, so which of them meet in a chain must not be for them to choose. The multipliers are
   * secret, random and odd. The last gives any two different words a chance to meet of at most 2 in the number of
   * chains, whichever words they are (multiply-shift hashing, Dietzfelbinger et al. 1997); the first two, with the shift,
   * make that word out of the whole address and break up the order of addresses that are counted up.
   */
  #head(low: number, high: number): number {
    const mixed = (Math.imul(low, this.#key0) + Math.imul(high, this.#key1)) | 0
    return HEADS + (Math.imul(mixed ^ (mixed >>> 15), this.#key2) >>> this.#shift)
  }

  #port(entry: number): number {
    return (this.#words[entry + HIGH_AND_PORT] as number) >>> 16
  }

  #count(counter: number): void {
    this.#counters[counter] = (this.#counters[counter] as number) + 1
  }

  #holds(entry: number, low: number, high: number): boolean {
    const words = this.#words
    return words[entry] === low && ((words[entry + HIGH_AND_PORT] as number) & 0xffff) === high
  }

  #refresh(entry: number, before: number, port: number, now: number): void {
    const words = this.#words
    words[entry + STAMP] = now
    // Often it is the newest of its port already.
    if (before === port && words[entry + NEWER] === 0) return
    this.#unlinkFromPort(entry, before)
    if (before !== port) {
      words[entry + HIGH_AND_PORT] =
        ((words[entry + HIGH_AND_PORT] as number) & 0xffff) | (port << 16)
      this.#count(MOVED)
    }
    this.#linkToPort(entry, port)
  }

  #add(head: number, low: number, high: number, port: number, now: number): void {
    const words = this.#words
    if (words[FREE] === 0) this.#makeRoom(port)
    // In a damaged table that may have failed.
    if (words[FREE] === 0) clearMacTable(words)
    const entry = words[FREE] as number
    words[FREE] = words[entry + NEXT] as number
    words[SIZE] = (words[SIZE] as number) + 1
    words[entry] = low
    words[entry + HIGH_AND_PORT] = high | (port << 16)
    words[entry + STAMP] = now
    words[entry + NEXT] = words[head] as number
    this.#linkToPort(entry, port)
    // Last, and as a release: a reader on another lcore that finds the entry finds it whole.
    Atomics.store(words, head, entry)
    this.#count(LEARNED)
  }

  #makeRoom(port: number): void {
    const words = this.#words
    let list = PORTS + port * PORT_WORDS
    const own = words[list + COUNT] as number
    if (own * (words[ACTIVE_PORTS] as number) < (words[LIMIT] as number) || own === 0) {
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
    this.#remove(entry)
    this.#count(EVICTED)
  }

  #remove(entry: number): void {
    if (entry === 0) return
    const words = this.#words
    const head = this.#head(
      words[entry] as number,
      (words[entry + HIGH_AND_PORT] as number) & 0xffff,
    )
    let at = head
    let next = words[head] as number
    for (let left = MAX_CHAIN; left > 0 && next !== entry; left--) {
      at = next + NEXT
      next = words[at] as number
    }
    words[at] = words[entry + NEXT] as number
    this.#unlinkFromPort(entry, this.#port(entry))
    words[entry + HIGH_AND_PORT] = -1
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
