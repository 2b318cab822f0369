import { Readable } from 'node:stream'
import { validate } from '../config/index.js'
import { binding } from '../native/binding.js'
import { before, ClockWriter } from './clock.js'
import { compileFilter } from './filter.js'
import type { CaptureImage } from './image.js'
import { Merger } from './merger.js'
import { type CaptureOptions, type CaptureSpec, captureOptions } from './options.js'
import {
  type InterfaceCounters,
  interfaceDescription,
  interfaceStatistics,
  type Stamp,
  sectionHeader,
} from './pcapng.js'
import { MAX_INTERFACES, newRings } from './ring.js'

/** How often rings are looked at, in milliseconds. */
const LOOK_MS = 10
/** Bytes that wait for a slow reader. What comes then stays in the rings, until they are full. */
const WAITING = 1024 * 1024

let lastId = 0

/**
 * Frames of ports as a stream of pcapng, with the ports as interfaces. What its reader is too slow for is lost to the
 * capture, and counted; lcores never wait.
 *
 * Lcores copy frames from when a `Recorder` on them was given the `image`. The stream ends after `count` frames, or
 * with {@link finish}; its last blocks are the statistics of the interfaces.
 *
 * Once no more frames are wanted it emits `recorded`, however slow its reader is: lcores may let go of the image then.
 */
export class Capture extends Readable {
  readonly spec: CaptureSpec
  readonly #id = ++lastId
  readonly #filter: Uint32Array | undefined
  readonly #clock = new ClockWriter()
  readonly #start: Stamp
  readonly #rings = newRings(binding.layout.maxLcores)
  readonly #merger: Merger
  readonly #interfaces = new Map<string, number>()
  readonly #timer: NodeJS.Timeout
  /** The reader wants more. */
  #wanted = false
  #recorded = false
  #finished = false

  /** @throws ConfigError; DatapathError `ERR_NO_LIBPCAP`, `ERR_NOT_OPEN` */
  static async open(options: CaptureOptions): Promise<Capture> {
    const spec = validate(captureOptions, options, 'capture')
    const filter = spec.filter === undefined ? undefined : await compileFilter(spec.filter)
    return new Capture(spec, filter)
  }

  private constructor(spec: CaptureSpec, filter: Uint32Array | undefined) {
    super({ highWaterMark: WAITING })
    this.spec = spec
    this.#filter = filter
    this.#merger = new Merger(this.#rings, spec.count ?? Number.POSITIVE_INFINITY)
    this.#start = this.#clock.update()
    this.push(sectionHeader('dpdk-vhost'))
    this.addPorts(spec.ports)
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
  }

  /** For the lcores' recorders. Another one after {@link addPorts}. */
  get image(): CaptureImage {
    const { snaplen, direction } = this.spec
    return {
      id: this.#id,
      filter: this.#filter,
      snaplen,
      direction,
      interfaces: new Map(this.#interfaces),
      clock: this.#clock.memory,
      rings: this.#rings,
    }
  }

  /** Captures ports as well. Returns whether any of them is new. */
  addPorts(names: Iterable<string>): boolean {
    const before = this.#interfaces.size
    for (const name of names) {
      const id = this.#interfaces.size
      if (this.#interfaces.has(name) || id === MAX_INTERFACES || this.#finished) continue
      this.#interfaces.set(name, id)
      this.push(interfaceDescription(name, this.spec.snaplen, this.spec.filter))
    }
    return this.#interfaces.size > before
  }

  /** Counters of all ports, by their names. */
  counters(): Map<string, InterfaceCounters> {
    return new Map([...this.#interfaces].map(([name, id]) => [name, this.#merger.counters(id)]))
  }

  /** Ends the stream with what is in the rings and the statistics. Lcores should have let go of the image before. */
  finish(): void {
    if (this.#finished) return
    for (let chunk = this.#merger.take(); chunk !== undefined; chunk = this.#merger.take())
      this.push(chunk)
    this.#end()
  }

  override _read(): void {
    this.#wanted = true
    this.#drain()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearInterval(this.#timer)
    this.#finished = true
    done(error)
  }

  #look(): void {
    this.#merger.look()
    this.#drain()
    const { count } = this.spec
    if (this.#recorded || this.#wanted || count === undefined) return
    // Its reader is slow. What is in the rings is enough for it: lcores need not go on.
    if (this.#framesPut() >= count) this.#setRecorded()
  }

  /** Frames that lcores put into the rings, taken or not. */
  #framesPut(): number {
    let frames = 0
    for (const id of this.#interfaces.values()) {
      const { matched, dropped } = this.#merger.counters(id)
      frames += matched - dropped
    }
    return frames
  }

  #setRecorded(): void {
    if (this.#recorded) return
    this.#recorded = true
    this.emit('recorded')
  }

  #drain(): void {
    if (this.#finished) return
    // An lcore may still be at a burst that it took this long ago.
    const until = before(this.#clock.update(), LOOK_MS * 1e6)
    while (this.#wanted) {
      const chunk = this.#merger.take(until)
      if (chunk === undefined) break
      this.#wanted = this.push(chunk)
    }
    if (this.#merger.isComplete) this.#end()
  }

  #end(): void {
    this.#finished = true
    clearInterval(this.#timer)
    const now = this.#clock.update()
    for (const id of this.#interfaces.values()) {
      this.push(interfaceStatistics(id, this.#merger.counters(id), this.#start, now))
    }
    this.push(null)
    this.#setRecorded()
  }
}
