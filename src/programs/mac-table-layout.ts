/**
 * Where a MAC table keeps what, in 32-bit words of one buffer that several lcores can share:
 *
 * ```
 * header   16  numbers of the whole table, indices below
 * counters 16  eight float64
 * ports    4 each, MAX_PORTS of them: oldest entry, newest entry, number of entries, unused
 * heads    first entry of each hash chain; a power of two of them, at least twice the limit
 * entries  8 each: one half of a cache line
 * marks    2 for each entry: what is known of its moves
 * ```
 *
 * An entry is named by the index of its first word; 0 names none.
 *
 * @packageDocumentation
 */
import { MAX_PORTS } from '../burst/burst.js'

export const LOCK = 0
export const LIMIT = 1
export const SIZE = 2
export const FREE = 3
export const KEYS = 4
export const SHIFT = 7
export const ENTRIES = 8
export const SWEPT = 9
export const ACTIVE_PORTS = 10
export const FORMAT = 11
export const DAMAGED = 12
/** Number of static entries. */
export const STATICS = 13
export const MARKS = 14
export const FORMAT_VALUE = 0x4d414332

export const COUNTERS = 16 / 2
export const LEARNED = COUNTERS
export const MOVED = COUNTERS + 1
export const EVICTED = COUNTERS + 2
export const EXPIRED = COUNTERS + 3
export const FLAPPED = COUNTERS + 4

export const PORTS = 32
export const PORT_WORDS = 4
export const OLDEST = 0
export const NEWEST = 1
export const COUNT = 2

export const HEADS = PORTS + MAX_PORTS * PORT_WORDS

export const ENTRY_WORDS = 8
/** Octets 0 to 3 of the address, octet 0 lowest: as a little-endian load gives them. */
export const LOW = 0
/** Octets 4 and 5 in the lower half, the VLAN in the upper; {@link NO_KEY} in a free entry. */
export const HIGH_AND_VLAN = 1
export const NO_KEY = -1
/** Next entry of the hash chain, or of the free list. */
export const NEXT = 2
/** Second in which the address was last seen. */
export const STAMP = 3
/** Neighbours in the port's list, which runs from the oldest to the newest. */
export const OLDER = 4
export const NEWER = 5
/**
 * The port id, flags, and 20 bits of the hash of address and VLAN: from them a reader tells that the port is not that of
 * another address to which the entry was just given.
 */
export const PORT = 6

/** Of {@link PORT}: the id of the port. */
export const PORT_BITS = 0x3ff
/** Of {@link PORT}: given, not learnt; in no port's list. */
export const STATIC = 1 << 10
/** Of {@link PORT}: it moved too often and stays where it is. */
export const HELD = 1 << 11
/** Of {@link PORT}: how far up the bits of the hash are. */
export const CHECK_SHIFT = 12

export const MARK_WORDS = 2
/** First word of a mark: the port on which the entry was before it began to move, and how often it did. */
export const HOME_AND_MOVES = 0
/** Second word of a mark: millisecond, modulo 2^32, in which moves were first counted; of a held entry that in which the hold ends. */
export const SINCE = 1

/** Makes the table empty; the counters go on. */
export function clearMacTable(words: Int32Array): void {
  const first = words[ENTRIES] as number
  const end = first + (words[LIMIT] as number) * ENTRY_WORDS
  words.fill(0, PORTS, first)
  words.fill(0, end, end + (words[LIMIT] as number) * MARK_WORDS)
  for (let entry = first; entry < end; entry += ENTRY_WORDS) {
    words[entry + NEXT] = entry + ENTRY_WORDS < end ? entry + ENTRY_WORDS : 0
    words[entry + STAMP] = 0
    words[entry + HIGH_AND_VLAN] = NO_KEY
  }
  words[FREE] = first
  words[SIZE] = 0
  words[STATICS] = 0
  words[ACTIVE_PORTS] = 0
}
