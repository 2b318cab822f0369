/**
 * The lcores' clock, which counts cycles, as the time of day: a line through two moments of both clocks, which the thread
 * that reads a capture draws anew again and again. So neither a frequency that DPDK has rounded nor a clock that is set
 * leaves the stamps wrong for long.
 *
 * @packageDocumentation
 */
import { nativeCall } from '../errors.js'
import { binding } from '../native/binding.js'
import type { Stamp } from './pcapng.js'

/** Its number is odd while the line is drawn. */
const VERSION = 0
/** Places in 64-bit floats. */
const Place = { clock: 1, high: 2, low: 3, nanosecondsPerMs: 4 } as const
const FLOATS = 5

const WORD = 2 ** 32
/** Two moments this far apart give the line its slope, in milliseconds. */
const BASE_MS = 1000
/** A stamp that would lie this much before the one before it, or less, in milliseconds, is of a line drawn anew. */
const HELD_MS = 1
/** An lcore does not wait for one that draws. */
const TRIES = 4

type Moment = ReturnType<typeof binding.wallClock>

/** The thread that reads: draws the line. */
export class ClockWriter {
  readonly memory = new SharedArrayBuffer(FLOATS * Float64Array.BYTES_PER_ELEMENT)
  readonly #words = new Int32Array(this.memory)
  readonly #floats = new Float64Array(this.memory)
  #before: Moment
  #nanosecondsPerMs = 1e6

  /** @throws DatapathError `ERR_NOT_OPEN` */
  constructor() {
    this.#before = nativeCall(() => binding.wallClock())
    this.update()
  }

  /** Draws the line through now, and returns now. */
  update(): Stamp {
    const moment = nativeCall(() => binding.wallClock())
    this.#slope(moment)
    const [clock, seconds, nanoseconds] = moment
    const { high, low } = stampOf(seconds, nanoseconds)
    Atomics.add(this.#words, VERSION, 1)
    this.#floats[Place.clock] = clock
    this.#floats[Place.high] = high
    this.#floats[Place.low] = low
    this.#floats[Place.nanosecondsPerMs] = this.#nanosecondsPerMs
    Atomics.add(this.#words, VERSION, 1)
    return { high, low }
  }

  #slope(moment: Moment): void {
    const [clock, seconds, nanoseconds] = moment
    const [clockBefore, secondsBefore, nanosecondsBefore] = this.#before
    const elapsed = clock - clockBefore
    const wall = (seconds - secondsBefore) * 1e9 + (nanoseconds - nanosecondsBefore)
    const slope = wall / elapsed
    // A clock that was set in between tells nothing of its pace.
    if (elapsed > 1 && Math.abs(slope / 1e6 - 1) < 0.05) this.#nanosecondsPerMs = slope
    if (elapsed > BASE_MS) this.#before = moment
  }
}

/** An lcore: the stamp of a burst. Allocates nothing. */
export class ClockReader {
  /** Upper 32 bits of the last stamp, as a number with a sign. */
  high = 0
  /** Lower 32 bits, likewise: numbers beyond would be made anew wherever they are handed on. */
  low = 0
  readonly #words: Int32Array
  readonly #floats: Float64Array
  /** The line as it was last read. Not in fields, where a number with a fraction may be made anew each time. */
  readonly #line = new Float64Array(FLOATS)

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory)
    this.#floats = new Float64Array(memory)
  }

  /** Sets `high` and `low`. @param burst - for its time */
  stamp(burst: { readonly now: number }): void {
    this.#read()
    const line = this.#line
    const slope = line[Place.nanosecondsPerMs] as number
    const since = Math.floor((burst.now - (line[Place.clock] as number)) * slope)
    const low = (line[Place.low] as number) + since
    const carry = Math.floor(low / WORD)
    const high = (line[Place.high] as number) + carry
    const rest = low - carry * WORD
    const back = ((this.high >>> 0) - high) * (WORD / 1e6) + ((this.low >>> 0) - rest) / 1e6
    if (back > 0 && back < HELD_MS) return
    this.high = high | 0
    this.low = rest | 0
  }

  #read(): void {
    const line = this.#line
    for (let tries = 0; tries < TRIES; tries++) {
      const version = Atomics.load(this.#words, VERSION)
      if ((version & 1) === 1) continue
      for (let i = 1; i < FLOATS; i++) line[i] = this.#floats[i] as number
      if (Atomics.load(this.#words, VERSION) === version) return
    }
  }
}

/** The time that many nanoseconds, less than 2^32, before another. */
export function before({ high, low }: Stamp, nanoseconds: number): Stamp {
  const rest = low - nanoseconds
  return rest < 0 ? { high: high - 1, low: rest + WORD } : { high, low: rest }
}

function stampOf(seconds: number, nanoseconds: number): Stamp {
  const all = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)
  return { high: Number(all >> 32n), low: Number(all & 0xffff_ffffn) }
}
