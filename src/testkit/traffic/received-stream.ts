import type { Burst } from '../../burst/burst.js'
import { LatencyHistogram } from './latency-histogram.js'
import type { Gap, StreamReport } from './reports.js'
import { SequenceWindow } from './sequence-window.js'

/** Shorter pauses are not worth a look at the clock. */
const SHORTEST_GAP_MS = 1

class ReceivedFlow extends SequenceWindow {
  /** Whether it goes to somebody else's MAC address. */
  readonly foreign: boolean

  constructor(foreign: boolean) {
    super()
    this.foreign = foreign
  }
}

/** What one stream's receiver knows of it. */
export class ReceivedStream {
  readonly id: number
  /** Whether this host sends it. */
  own = false
  /** Intact frames, those that came twice included. Never reset. */
  arrived = 0
  corrupted = 0
  rewritten = 0
  tagged = 0
  #bytes = 0
  #firstAt: number | undefined
  #lastAt = Number.POSITIVE_INFINITY
  #gap: Gap | undefined
  #longest = SHORTEST_GAP_MS
  #flows: (ReceivedFlow | undefined)[] = []
  readonly #queues = new Float64Array(16)
  #latency = new LatencyHistogram()

  constructor(id: number) {
    this.id = id
  }

  /** Takes note of an intact frame of the current burst. */
  see(
    burst: Burst,
    length: number,
    flow: number,
    number: number,
    age: number,
    foreign: boolean,
  ): void {
    let window = this.#flows[flow]
    if (window === undefined) {
      // Without holes the array stays a fast one.
      while (this.#flows.length < flow) this.#flows.push(undefined)
      window = new ReceivedFlow(foreign)
      this.#flows[flow] = window
    }
    const passed = window.see(number)
    const now = burst.now
    this.#firstAt ??= wallClock()
    if (now - this.#lastAt > this.#longest) {
      this.#longest = now - this.#lastAt
      this.#gap = { ms: this.#longest, endedAt: wallClock(), missing: passed }
    }
    this.#lastAt = now
    this.#bytes += length
    this.arrived += 1
    this.#queues[burst.inQueue]! += 1
    this.#latency.add(age > 0 ? age : 0)
  }

  forget(): void {
    this.corrupted = 0
    this.rewritten = 0
    this.tagged = 0
    this.#bytes = 0
    this.#firstAt = undefined
    this.#lastAt = Number.POSITIVE_INFINITY
    this.#gap = undefined
    this.#longest = SHORTEST_GAP_MS
    this.#flows = []
    this.#queues.fill(0)
    this.#latency = new LatencyHistogram()
  }

  report(): StreamReport {
    const flows = this.#flows.filter((flow) => flow !== undefined)
    const sum = (of: (flow: ReceivedFlow) => number) =>
      flows.reduce((total, flow) => total + of(flow), 0)
    const queues = Object.fromEntries(
      [...this.#queues.entries()].filter(([, frames]) => frames > 0),
    )
    return {
      stream: this.id,
      frames: sum((flow) => flow.frames),
      foreign: sum((flow) => (flow.foreign ? flow.frames : 0)),
      bytes: this.#bytes,
      missing: sum((flow) => flow.missing),
      duplicated: sum((flow) => flow.duplicated),
      reordered: sum((flow) => flow.reordered),
      late: sum((flow) => flow.late),
      corrupted: this.corrupted,
      rewritten: this.rewritten,
      tagged: this.tagged,
      flows: flows.length,
      queues,
      firstAt: this.#firstAt,
      longestGap: this.#gap,
      latencyMicroseconds: this.#latency.report(),
    }
  }
}

/** As `Date.now()`, in fractions of a millisecond. */
function wallClock(): number {
  return performance.timeOrigin + performance.now()
}
