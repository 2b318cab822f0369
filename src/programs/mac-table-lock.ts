import { clearMacTable, DAMAGED, LOCK } from './mac-table-layout.js'

/** A lock seen in the same hands for so many seconds was left behind by an lcore that was terminated. */
const STALE = 2

/** The same in milliseconds for the control plane, which waits for it. */
const STALE_WAIT = 250

/**
 * The lock of a MAC table. It is held for a microsecond at a time, but a Worker can be terminated in between and leave
 * it locked, so it is taken over after a while. What was half changed then is unknown, and the table is emptied.
 */
export class MacTableLock {
  readonly #words: Int32Array
  /** What the lock holds while it is ours: not 0, and different from one time to the next. */
  #ticket = Math.floor(Math.random() * 0x3fffffff) | 1
  #holderSeen = 0
  #holderSeenAt = 0

  constructor(words: Int32Array) {
    this.#words = words
  }

  /** Takes the lock or gives up at once. */
  try(now: number): boolean {
    const holder = Atomics.compareExchange(this.#words, LOCK, 0, this.#ticket)
    if (holder === 0) return this.#whole()
    if (holder !== this.#holderSeen) {
      this.#holderSeen = holder
      this.#holderSeenAt = now
      return false
    }
    return now - this.#holderSeenAt >= STALE && this.#steal(holder)
  }

  /** Takes the lock, waiting for another lcore's change to end. For the control plane. */
  wait(now: number): void {
    const end = performance.now() + STALE_WAIT
    while (!this.try(now)) {
      if (performance.now() > end && this.#steal(Atomics.load(this.#words, LOCK))) return
    }
  }

  /** Gives it back. */
  release(): void {
    const words = this.#words
    // A holder that was only put to sleep for long finds its lock stolen, and has changed what it should not have.
    if (Atomics.compareExchange(words, LOCK, this.#ticket, 0) !== this.#ticket) {
      Atomics.store(words, DAMAGED, 1)
    }
    this.#ticket = (this.#ticket + 2) & 0x7fffffff
  }

  #steal(holder: number): boolean {
    if (Atomics.compareExchange(this.#words, LOCK, holder, this.#ticket) !== holder) return false
    Atomics.store(this.#words, DAMAGED, 1)
    return this.#whole()
  }

  /** Makes sure that the table is whole: after a damage only an empty one is known to be. */
  #whole(): true {
    if (this.#words[DAMAGED] !== 0) {
      clearMacTable(this.#words)
      Atomics.store(this.#words, DAMAGED, 0)
    }
    return true
  }
}
