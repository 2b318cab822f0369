import { type FlowChanges, type FlowTableStats, statsOf } from './book.js'
import { CounterStripe } from './counter-memory.js'
import type { FlowEntry } from './entry.js'
import { Follower } from './follower.js'
import type { Meters, SharedMeter } from './meters.js'
import type { Surroundings } from './send.js'

/** Rules as a new lcore starts with them: plain data, and memory that all lcores share. */
export interface FlowReplica {
  /** The last update that is in it. */
  readonly update: number
  readonly entries: readonly FlowEntry[]
  readonly meters: readonly SharedMeter[]
  readonly roster: SharedArrayBuffer
  readonly generation: SharedArrayBuffer
}

/** A change of the rules that all lcores follow. */
export interface FlowUpdate {
  /** 1 for the first, and without gaps. */
  readonly update: number
  readonly changes?: FlowChanges
  /** All meters, where they are to be others. */
  readonly meters?: readonly SharedMeter[]
}

/** What lcores are sent: the next updates, or, for those that missed too many, all there is. */
export interface FlowMessage {
  readonly type: 'follow'
  readonly updates: readonly FlowUpdate[]
  readonly replica?: FlowReplica | undefined
}

/** The rules of one lcore among several: they follow the book of the thread that controls. */
export class ReplicaTables {
  readonly follower: Follower
  readonly #meters: Meters
  readonly #stripe: CounterStripe
  #update: number

  constructor(replica: FlowReplica, meters: Meters, around: Surroundings) {
    this.#stripe = new CounterStripe(replica.roster, replica.generation)
    this.#meters = meters
    this.#meters.set(replica.meters)
    this.follower = new Follower(this.#stripe.counters, around)
    this.follower.reset(replica.entries)
    this.#update = replica.update
    this.#stripe.note(this.#update)
  }

  /** Takes in what is new to it; updates after one that it missed are left for when that has come. */
  follow({ updates, replica }: FlowMessage): void {
    if (replica !== undefined && replica.update > this.#update) this.#reset(replica)
    for (const { update, changes, meters } of updates) {
      if (update !== this.#update + 1) continue
      if (changes?.generation !== undefined) this.#stripe.use(changes.generation)
      if (changes !== undefined) this.follower.apply(changes)
      if (meters !== undefined) this.#meters.set(meters)
      this.#update = update
    }
    this.#stripe.note(this.#update)
  }

  /** What is in force, and what was counted in this lcore's memory. */
  get stats(): FlowTableStats {
    const { other } = this.#stripe.counters
    return statsOf(this.follower.size, (index) => other[index] as number)
  }

  close(): void {
    this.#stripe.release()
  }

  #reset({ update, entries, meters, generation }: FlowReplica): void {
    this.#stripe.use(generation)
    this.follower.reset(entries)
    this.#meters.set(meters)
    this.#update = update
  }
}
