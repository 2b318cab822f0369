/**
 * What the lcores of a bridge share besides its MAC table, in 32-bit words of one buffer:
 *
 * ```
 * header  16
 * ports   16 each, MAX_PORTS of them: one cache line
 * rings   of notices: one of flaps, one of moves
 * ```
 *
 * @packageDocumentation
 */
import { MAX_PORTS } from 'dpdk-vhost/programs/program'

export const FORMAT = 0
export const FORMAT_VALUE = 0x42524731
/** Two random words, by which the memory is known again on another thread. */
export const IDENTITY = 1
/** Two words: floods that reached only some of their receivers, see `flood.ts`. */
export const CUT_FLOODS = 4
/** Index of a float64: milliseconds from the clock of the bursts to that of `process.hrtime`. NaN before the first burst. */
export const CLOCK_OFFSET = 8 / 2

const HEADER = 16
const PORT_WORDS = 16

/** Counters of a port, two words each. */
export const PortCounter = { vlan: 0, storm: 2, loop: 4 } as const
/** Token buckets of a port, three words each, by kind of flood: the rest of the line. */
export const PORT_BUCKETS = 6

export const NOTICE_WORDS = 8
export const RING_HEADER = 4
/** Slots of the rings. */
export const RINGS = { flaps: 64, moves: 256 } as const
export const FLAP_RING = HEADER + MAX_PORTS * PORT_WORDS
export const MOVE_RING = FLAP_RING + RING_HEADER + RINGS.flaps * NOTICE_WORDS
const WORDS = MOVE_RING + RING_HEADER + RINGS.moves * NOTICE_WORDS

/** The words of a bridge's state, on any thread. */
export interface State {
  readonly words: Int32Array
  readonly floats: Float64Array
}

/** Makes the state of a new bridge. */
export function newState(): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(WORDS * 4)
  const words = new Int32Array(buffer)
  for (const at of [IDENTITY, IDENTITY + 1]) words[at] = Math.random() * 2 ** 32
  for (const [ring, slots] of [
    [FLAP_RING, RINGS.flaps],
    [MOVE_RING, RINGS.moves],
  ] as const) {
    for (let slot = 0; slot < slots; slot++) words[ring + RING_HEADER + slot * NOTICE_WORDS] = slot
  }
  new Float64Array(buffer)[CLOCK_OFFSET] = Number.NaN
  words[FORMAT] = FORMAT_VALUE
  return buffer
}

/** By buffer: a scrape looks at the state for each port. */
const states = new WeakMap<SharedArrayBuffer, State>()

/** Lays words over the state of a bridge. */
export function stateOver(buffer: SharedArrayBuffer): State {
  const known = states.get(buffer)
  if (known !== undefined) return known
  const words = new Int32Array(buffer)
  if (words[FORMAT] !== FORMAT_VALUE)
    throw new TypeError('the buffer does not hold the state of a bridge')
  const state = { words, floats: new Float64Array(buffer) }
  states.set(buffer, state)
  return state
}

/** Whether two are the same state, also when one was posted from another thread. */
export function isSameState(a: SharedArrayBuffer, b: SharedArrayBuffer): boolean {
  const [one, other] = [stateOver(a).words, stateOver(b).words]
  return one[IDENTITY] === other[IDENTITY] && one[IDENTITY + 1] === other[IDENTITY + 1]
}

/** First word of a port's line. */
export function portWords(port: number): number {
  return HEADER + port * PORT_WORDS
}

/** Adds to a counter of two words. */
export function addTo(words: Int32Array, at: number, amount: number): void {
  const before = Atomics.add(words, at, amount) >>> 0
  if (before + amount > 0xffffffff) Atomics.add(words, at + 1, 1)
}

/** Reads a counter of two words. */
export function readCounter(words: Int32Array, at: number): number {
  for (;;) {
    const high = Atomics.load(words, at + 1)
    const low = Atomics.load(words, at) >>> 0
    if (Atomics.load(words, at + 1) === high) return (high >>> 0) * 2 ** 32 + low
  }
}

/** Seconds on the clock of the bursts; 0 when there was none yet. For threads that see no bursts. */
export function secondNow({ floats }: State): number {
  const offset = floats[CLOCK_OFFSET] as number
  return Number.isNaN(offset) ? 0 : Math.floor((monotonicMs() - offset) / 1000)
}

/** Notes how the clock of the bursts goes. */
export function noteClock({ floats }: State, burstMs: number): void {
  floats[CLOCK_OFFSET] = monotonicMs() - burstMs
}

/** Milliseconds on the clock that all threads of the process share. */
function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}
