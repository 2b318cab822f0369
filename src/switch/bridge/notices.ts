import { formatMac } from 'dpdk-vhost/headers'
import { macOf } from 'dpdk-vhost/programs/mac-table'
import type { BridgeMemory } from '../image.js'
import {
  FLAP_RING,
  MOVE_RING,
  NOTICE_WORDS,
  RING_HEADER,
  RINGS,
  type State,
  stateOver,
} from './state.js'

/** Something an lcore has to tell. */
export interface BridgeNotice {
  /** `move`: an address appeared on another port. `flap`: it did so too often and is held. */
  readonly kind: 'move' | 'flap'
  /** `fa:16:3e:00:00:01` */
  readonly mac: string
  readonly vlan: number
  /** Id of the port it was on; of a flap, that on which it is held. */
  readonly from: number
  /** Id of the port it appeared on; of a flap, the other one. */
  readonly to: number
  /** Milliseconds since the epoch. */
  readonly time: number
}

/** Words of a ring's header. */
const HEAD = 0
const TAIL = 1
const LOST = 2

/** Words of a notice. */
const TICKET = 0
const LOW = 1
const KEY = 2
const FROM_TO = 3
/** Index of a float64 within the notice. */
const TIME = 4 / 2

/** A writer that another gets ahead of tries so often. */
const TRIES = 8

/** A notice that was begun and not finished for so long is given up: its lcore was terminated. */
const STALE_MS = 1000

/**
 * A ring that many lcores write and one thread reads (D. Vyukov, "Bounded MPMC queue"). Nobody waits: what does not fit
 * is counted. The number in a slot says whose turn it is: the ticket of a writer, or that plus one for the reader.
 */
class Ring {
  readonly #state: State
  readonly #at: number
  readonly #slots: number
  #stuckAt = -1
  #stuckSince = 0

  constructor(state: State, at: number, slots: number) {
    this.#state = state
    this.#at = at
    this.#slots = slots
  }

  get lost(): number {
    return Atomics.load(this.#state.words, this.#at + LOST) >>> 0
  }

  write(low: number, key: number, from: number, to: number): void {
    const { words, floats } = this.#state
    for (let tries = TRIES; tries > 0; tries--) {
      const ticket = Atomics.load(words, this.#at + TAIL)
      const slot = this.#slot(ticket)
      const turn = (Atomics.load(words, slot + TICKET) - ticket) | 0
      if (turn < 0) break
      if (
        turn > 0 ||
        Atomics.compareExchange(words, this.#at + TAIL, ticket, (ticket + 1) | 0) !== ticket
      )
        continue
      words[slot + LOW] = low
      words[slot + KEY] = key
      words[slot + FROM_TO] = (from << 16) | (to & 0xffff)
      floats[slot / 2 + TIME] = Date.now()
      Atomics.store(words, slot + TICKET, (ticket + 1) | 0)
      return
    }
    Atomics.add(words, this.#at + LOST, 1)
  }

  read(kind: BridgeNotice['kind']): BridgeNotice[] {
    const { words, floats } = this.#state
    const notices: BridgeNotice[] = []
    for (let left = this.#slots; left > 0; left--) {
      const ticket = Atomics.load(words, this.#at + HEAD)
      const slot = this.#slot(ticket)
      if (Atomics.load(words, slot + TICKET) === ((ticket + 1) | 0)) {
        const key = words[slot + KEY] as number
        const ports = words[slot + FROM_TO] as number
        notices.push({
          kind,
          mac: formatMac(macOf(words[slot + LOW] as number, key & 0xffff)),
          vlan: key >>> 16,
          from: ports >> 16,
          to: (ports << 16) >> 16,
          time: floats[slot / 2 + TIME] as number,
        })
      } else if (!this.#giveUp(ticket)) {
        break
      }
      Atomics.store(words, slot + TICKET, (ticket + this.#slots) | 0)
      Atomics.store(words, this.#at + HEAD, (ticket + 1) | 0)
    }
    return notices
  }

  #slot(ticket: number): number {
    return this.#at + RING_HEADER + ((ticket >>> 0) % this.#slots) * NOTICE_WORDS
  }

  /** Whether the notice at the head was begun long ago. */
  #giveUp(ticket: number): boolean {
    const { words } = this.#state
    if (Atomics.load(words, this.#at + TAIL) === ticket) return false
    const now = performance.now()
    if (this.#stuckAt !== ticket) {
      this.#stuckAt = ticket
      this.#stuckSince = now
    }
    if (now - this.#stuckSince < STALE_MS) return false
    Atomics.add(words, this.#at + LOST, 1)
    return true
  }
}

/** The notices of a bridge. Moves, which anybody can make many of, leave the flaps room of their own. */
export class Notices {
  readonly #flaps: Ring
  readonly #moves: Ring

  constructor(state: State) {
    this.#flaps = new Ring(state, FLAP_RING, RINGS.flaps)
    this.#moves = new Ring(state, MOVE_RING, RINGS.moves)
  }

  /** Notices that found no room. */
  get lost(): number {
    return this.#flaps.lost + this.#moves.lost
  }

  move(low: number, key: number, from: number, to: number): void {
    this.#moves.write(low, key, from, to)
  }

  flap(low: number, key: number, from: number, to: number): void {
    this.#flaps.write(low, key, from, to)
  }

  read(): BridgeNotice[] {
    const notices = [...this.#flaps.read('flap'), ...this.#moves.read('move')]
    return notices.sort((a, b) => a.time - b.time)
  }
}

/** Reads what the lcores of a bridge have to tell. One for each bridge. */
export class NoticeReader {
  readonly #notices: Notices

  constructor({ state }: BridgeMemory) {
    this.#notices = new Notices(stateOver(state))
  }

  /** Notices that found no room since the bridge was made. */
  get lost(): number {
    return this.#notices.lost
  }

  /** What was told since the last time, the oldest first. Read often: there is room for 256 moves and 64 flaps. */
  read(): BridgeNotice[] {
    return this.#notices.read()
  }
}
