import type { Burst } from '../../burst/burst.js'
import { formatMac } from '../../headers/mac.js'
import { type FrameFields, FrameWriter } from './frame-writer.js'
import type { SendResult } from './reports.js'

/** What an lcore is to send. */
export interface SendOrder extends FrameFields {
  /** Frames a second; `max` for as many as the ring takes. */
  readonly rate: number | 'max'
  /** Frames in all. */
  readonly frames?: number | undefined
  /** Time in all. */
  readonly seconds?: number | undefined
  /** Most frames that have not come back yet. */
  readonly window?: number | undefined
}

/** How many frames of a stream came back. */
export interface Returns {
  readonly arrived: number
}

/** Frames made at once. */
const MOST_AT_ONCE = 64

/** What is late by more than this is skipped instead of sent in one rush. */
const MOST_LAG_MS = 50

/** Frames of a full window that are not back after this time are given up, */
const WRITE_OFF_MS = 1000
/** of which each look counts for so much at most: what a stopped process was not there to see may come yet. */
const MOST_A_LOOK_MS = 100

/**
 * Sends one stream.
 *
 * Frame `k` of the stream is a function of `k` alone: its flow, its number in that flow, its size. So frames that a full
 * ring refused are simply made again, and numbers have no holes that did not come about on the way.
 */
export class Sender {
  readonly order: SendOrder
  readonly #writer: FrameWriter
  readonly #onEnd: (result: SendResult) => void
  readonly #returns: Returns
  /** Frames that are no longer waited for, less what came back before the start. */
  #returnedBefore: number
  #lastArrived = -1
  /** When the window was looked at last, and how long it has been waited since something came back. */
  #lookedAt = 0
  #waitedMs = 0
  readonly #sent: Float64Array
  readonly #sizeCount: number
  readonly #total: number
  #startedAt = -1
  #endedAt = -1
  /** Next frame of the stream, and what follows from it. */
  #k = 0
  #sub = 0
  #number = 0
  #size = 0
  /** Frame that the pending ones start with. */
  #pendingFrom = 0
  #pendingBytes = 0
  #bytes = 0
  #frames = 0
  #linkDown = 0
  #late = 0
  #limit = MOST_AT_ONCE
  #progress = true
  #stopped = false
  #finished = false
  #ended = false

  constructor(order: SendOrder, returns: Returns, onEnd: (result: SendResult) => void) {
    this.order = order
    this.#returns = returns
    this.#returnedBefore = returns.arrived
    this.#onEnd = onEnd
    this.#writer = new FrameWriter(order)
    this.#sent = new Float64Array(order.destinations.length)
    this.#sizeCount = order.sizes.length
    const { frames = Number.POSITIVE_INFINITY, seconds = Number.POSITIVE_INFINITY, rate } = order
    this.#total = rate === 'max' ? frames : Math.min(frames, Math.ceil(rate * seconds))
  }

  get ended(): boolean {
    return this.#ended
  }

  /**
   * Adds the frames that are due to the burst.
   *
   * @returns how many
   */
  fill(burst: Burst, port: number): number {
    const { now } = burst
    if (this.#startedAt < 0) this.#startedAt = now
    const linkUp = port >= 0 && burst.isReady[port] === 1
    const due = Math.min(this.#due(now, linkUp), this.#limit, this.#room(now))
    this.#pendingFrom = this.#k
    this.#pendingBytes = 0
    if (!linkUp) return 0
    const time = Math.floor(now * 1000) >>> 0
    let made = 0
    for (; made < due; made++) {
      const index = this.#writer.write(burst, this.#sub, this.#size, this.#number, time)
      if (index < 0) break
      burst.outPort[index] = port
      this.#pendingBytes += burst.length[index] as number
      this.#advance()
    }
    return made
  }

  /** The ring took the first `accepted` of the `made` frames of the last `fill`. */
  settle(made: number, accepted: number, now: number): void {
    this.#progress = accepted > 0
    if (made === 0) return
    this.#limit =
      accepted === made ? Math.min(this.#limit * 2, MOST_AT_ONCE) : Math.max(this.#limit >>> 1, 4)
    if (accepted < made) this.#seek(this.#pendingFrom + accepted)
    this.#frames += accepted
    this.#bytes += accepted === made ? this.#pendingBytes : this.#bytesOf(accepted)
    for (let i = 0, sub = this.#pendingFrom % this.#writer.subStreams; i < accepted; i++) {
      this.#sent[this.#writer.destinationOf(sub)]! += 1
      sub = sub + 1 === this.#writer.subStreams ? 0 : sub + 1
    }
    if (accepted > 0) this.#endedAt = now
  }

  /** Whether more frames are due now, so that the lcore should not sleep. */
  busy(now: number): boolean {
    if (this.order.rate === 'max') return this.#progress
    return this.#progress && (now - this.#startedAt) * (this.order.rate / 1000) > this.#k
  }

  /** Ends it after the burst that is under way. */
  stop(): void {
    this.#stopped = true
  }

  /** Ends it when all is sent, its time is over, or it was stopped. */
  endIfDone(now: number): void {
    const { rate, seconds } = this.order
    const over = rate === 'max' && seconds !== undefined && now - this.#startedAt >= seconds * 1000
    this.#finished = this.#k >= this.#total || over
    if (!this.#finished && !this.#stopped) return
    this.#ended = true
    this.#onEnd(this.result())
  }

  result(): SendResult {
    const ms = this.#endedAt < 0 ? 0 : this.#endedAt - this.#startedAt
    return {
      stream: this.order.stream,
      frames: this.#frames,
      bytes: this.#bytes,
      skipped: { linkDown: this.#linkDown, late: this.#late },
      destinations: Object.fromEntries(
        this.order.destinations.map((mac, i) => [formatMac(mac), this.#sent[i] as number]),
      ),
      ms,
      framesPerSecond: ms > 0 ? (this.#frames / ms) * 1000 : 0,
      finished: this.#finished,
    }
  }

  /** Frames due by now. Where there is a rate, those that cannot be sent any more are skipped. */
  #due(now: number, linkUp: boolean): number {
    const { rate } = this.order
    const left = this.#total - this.#k
    if (rate === 'max') return left
    const perMs = rate / 1000
    const due = Math.min(Math.floor((now - this.#startedAt) * perMs) + 1 - this.#k, left)
    if (due <= 0) return 0
    if (!linkUp) {
      this.#linkDown += due
      this.#seek(this.#k + due)
      return 0
    }
    const late = due - Math.ceil(MOST_LAG_MS * perMs) - MOST_AT_ONCE
    if (late <= 0) return due
    this.#late += late
    this.#seek(this.#k + late)
    return due - late
  }

  /** Frames that fit into the window. */
  #room(now: number): number {
    const { window } = this.order
    if (window === undefined) return Number.POSITIVE_INFINITY
    const { arrived } = this.#returns
    this.#waitedMs += Math.min(now - this.#lookedAt, MOST_A_LOOK_MS)
    this.#lookedAt = now
    if (arrived !== this.#lastArrived) {
      this.#lastArrived = arrived
      this.#waitedMs = 0
    }
    const out = this.#frames - (arrived - this.#returnedBefore)
    if (out >= window && this.#waitedMs > WRITE_OFF_MS) {
      this.#returnedBefore = arrived - this.#frames
      this.#waitedMs = 0
      return window
    }
    return Math.max(window - out, 0)
  }

  #advance(): void {
    this.#k += 1
    this.#sub += 1
    this.#size += 1
    if (this.#size === this.#sizeCount) this.#size = 0
    if (this.#sub === this.#writer.subStreams) {
      this.#sub = 0
      this.#number += 1
      this.#size = this.#sizeOf(this.#k)
    }
  }

  #seek(k: number): void {
    const { subStreams } = this.#writer
    this.#k = k
    this.#sub = k % subStreams
    this.#number = Math.floor(k / subStreams)
    this.#size = this.#sizeOf(k)
  }

  /** One further each round of the flows: else each would keep a few of the sizes to itself. */
  #sizeOf(k: number): number {
    const { subStreams } = this.#writer
    const shift = subStreams === 1 ? 0 : Math.floor(k / subStreams)
    return (k + shift) % this.#sizeCount
  }

  #bytesOf(accepted: number): number {
    let bytes = 0
    for (let i = 0; i < accepted; i++) {
      bytes += this.order.sizes[this.#sizeOf(this.#pendingFrom + i)] as number
    }
    return bytes
  }
}
