/**
 * Counters of rules that several lcores count for: each lcore writes to a stripe of its own, with ordinary stores, and
 * the thread that keeps the rules adds the stripes up. Nothing is ever set back in them.
 *
 * The *roster* says which lcore has which stripe; counters of rules are in *generations*: when there are more rules than
 * a generation has room for, lcores go on in a longer one, and the old one keeps what was counted in it.
 *
 * @packageDocumentation
 */
import type { FlowCounters } from './entry.js'

/** Lcores that a process can have (`native/constants.h`). Memory of a stripe that nobody writes to is never backed. */
const MAX_STRIPES = 64

/** Bytes of the roster before the stripes, and of each stripe: a cache line for its words and one for its counters. */
const HEADER = 128
const STRIPE = 128

/** Counters of {@link FlowCounters.other}. */
const OTHERS = 8

/** Words of the header: the last ticket, and the number of stripes that were ever taken. */
const TICKET = 0
const USED = 1

/** Words of a stripe: the ticket of its lcore (0: free), and the last update that the lcore took in. */
const OWNER = 0
const TAKEN = 1

const wordOf = (stripe: number, word: number) => (HEADER + stripe * STRIPE) / 4 + word

function othersOf(roster: SharedArrayBuffer, stripe: number): Float64Array {
  return new Float64Array(roster, HEADER + stripe * STRIPE + STRIPE / 2, OTHERS)
}

/** Packets and bytes of rules, as a stripe has them. */
function rulesOf(generation: SharedArrayBuffer, stripes: number, stripe: number): Float64Array {
  const bytes = generation.byteLength / stripes
  return new Float64Array(generation, stripe * bytes, bytes / 8)
}

function stripesOf(roster: SharedArrayBuffer): number {
  return (roster.byteLength - HEADER) / STRIPE
}

/** The sum of all stripes, for the thread that keeps the rules. */
export class CounterMemory {
  readonly roster: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #stripes: number
  readonly #others: readonly Float64Array[]
  readonly #generations: { buffer: SharedArrayBuffer; stripes: readonly Float64Array[] }[] = []

  /** @param stripes - most lcores at a time */
  constructor(capacity: number, stripes = MAX_STRIPES) {
    this.#stripes = stripes
    this.roster = new SharedArrayBuffer(HEADER + stripes * STRIPE)
    this.#words = new Int32Array(this.roster)
    this.#others = Array.from({ length: stripes }, (_, i) => othersOf(this.roster, i))
    this.grow(capacity)
  }

  /** The generation that lcores write to. */
  get generation(): SharedArrayBuffer {
    return (this.#generations.at(-1) as { buffer: SharedArrayBuffer }).buffer
  }

  /** Indices that there is room for. */
  get capacity(): number {
    return this.generation.byteLength / this.#stripes / 16
  }

  /** Makes a generation with room for so many rules at least. */
  grow(rules: number): void {
    const bytes = 16 * 2 ** Math.ceil(Math.log2(Math.max(64, rules)))
    const buffer = new SharedArrayBuffer(this.#stripes * bytes)
    const stripes = Array.from({ length: this.#stripes }, (_, i) =>
      rulesOf(buffer, this.#stripes, i),
    )
    this.#generations.push({ buffer, stripes })
  }

  /** Packets of the rules that had an index. */
  packets(index: number): number {
    return this.#sum(2 * index)
  }

  /** Bytes of the rules that had an index. */
  bytes(index: number): number {
    return this.#sum(2 * index + 1)
  }

  /** Frames that no rule decided, by their {@link Other}. */
  other(index: number): number {
    let sum = 0
    for (const counters of this.#others) sum += counters[index] as number
    return sum
  }

  /** Lcores that have not taken in an update yet, each with the last it has. */
  behind(update: number): { ticket: number; taken: number }[] {
    const late: { ticket: number; taken: number }[] = []
    for (let stripe = 0; stripe < this.#used; stripe++) {
      const ticket = Atomics.load(this.#words, wordOf(stripe, OWNER))
      const taken = Atomics.load(this.#words, wordOf(stripe, TAKEN))
      if (ticket !== 0 && taken < update) late.push({ ticket, taken })
    }
    return late
  }

  get #used(): number {
    return Atomics.load(this.#words, USED)
  }

  #sum(place: number): number {
    const used = this.#used
    let sum = 0
    for (const { stripes } of this.#generations) {
      if (place >= (stripes[0] as Float64Array).length) continue
      for (let i = 0; i < used; i++) sum += (stripes[i] as Float64Array)[place] as number
    }
    return sum
  }
}

/** The counters of one lcore. */
export class CounterStripe {
  readonly counters: FlowCounters
  readonly #roster: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #stripe: number
  readonly #ticket: number

  constructor(roster: SharedArrayBuffer, generation: SharedArrayBuffer) {
    this.#roster = roster
    this.#words = new Int32Array(roster)
    this.#ticket = Atomics.add(this.#words, TICKET, 1) + 1
    this.#stripe = this.#take()
    this.counters = { rules: new Float64Array(0), other: othersOf(roster, this.#stripe) }
    this.use(generation)
  }

  /** Goes on in another generation. */
  use(generation: SharedArrayBuffer): void {
    this.counters.rules = rulesOf(generation, stripesOf(this.#roster), this.#stripe)
  }

  /** Says which update was taken in last. */
  note(update: number): void {
    Atomics.store(this.#words, wordOf(this.#stripe, TAKEN), update)
  }

  /** Lets another lcore go on with this stripe. */
  release(): void {
    Atomics.compareExchange(this.#words, wordOf(this.#stripe, OWNER), this.#ticket, 0)
  }

  #take(): number {
    const stripes = stripesOf(this.#roster)
    for (let stripe = 0; stripe < stripes; stripe++)
      if (this.#takeFrom(stripe)) return this.#grew(stripe)
    // Only lcores that were terminated leave their stripes taken: the one furthest behind is of such a one.
    const taken = (stripe: number) => Atomics.load(this.#words, wordOf(stripe, TAKEN))
    let last = 0
    for (let stripe = 1; stripe < stripes; stripe++) if (taken(stripe) < taken(last)) last = stripe
    Atomics.store(this.#words, wordOf(last, OWNER), this.#ticket)
    return last
  }

  #takeFrom(stripe: number): boolean {
    return Atomics.compareExchange(this.#words, wordOf(stripe, OWNER), 0, this.#ticket) === 0
  }

  #grew(stripe: number): number {
    for (;;) {
      const used = Atomics.load(this.#words, USED)
      if (used > stripe) return stripe
      if (Atomics.compareExchange(this.#words, USED, used, stripe + 1) === used) return stripe
    }
  }
}
