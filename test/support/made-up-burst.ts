import {
  Burst,
  type BurstMemory,
  BurstWord,
  DROP,
  MAX_FRAMES,
  MAX_PORTS,
} from '../../src/burst/burst.js'
import { ExpectedSources } from '../../src/burst/expected-sources.js'

const BUFFER = 2304
const HEADROOM = 128

/** What left, as `port:bytes` in order, so that two outcomes compare. */
export type Sent = string[]

/** The real {@link Burst} over ordinary memory, with as much of an lcore around it as programs see. */
export class MadeUpBurst {
  readonly burst: Burst
  readonly memory: BurstMemory
  readonly #copies: [number, number][] = []

  /**
   * @param ports - how many there are, all ready, with ids from 0
   * @param room - for copies, before they are sent early
   */
  constructor(ports: number, room = 512) {
    this.memory = {
      packets: new ArrayBuffer(MAX_FRAMES * BUFFER),
      offset: new Uint32Array(MAX_FRAMES),
      length: new Uint32Array(MAX_FRAMES),
      outPort: new Int32Array(MAX_FRAMES),
      copyFrame: new Uint32Array(room),
      copyPort: new Int32Array(room),
      words: new Uint32Array(16),
      clock: Float64Array.of(1_000_000),
      readyPorts: new Uint32Array(MAX_PORTS),
      isReady: new Uint8Array(MAX_PORTS),
      expected: new Int32Array(ExpectedSources.WORDS),
    }
    this.burst = new Burst(this.memory, {
      flushCopies: () => this.#takeCopies(),
      create: (length) => this.#create(length),
      duplicate: (index) => this.#duplicate(index),
    })
    for (let id = 0; id < ports; id++) this.setReady(id, true)
  }

  setReady(port: number, ready: boolean): void {
    const { isReady, readyPorts, words } = this.memory
    isReady[port] = ready ? 1 : 0
    let count = 0
    isReady.forEach((value, id) => {
      if (value === 1) readyPorts[count++] = id
    })
    words[BurstWord.readyCount] = count
    words[BurstWord.readyEpoch] = (words[BurstWord.readyEpoch] as number) + 1
  }

  /** Moves the clock on. */
  pass(seconds: number): void {
    const { clock } = this.memory
    clock[0] = (clock[0] as number) + seconds * 1000
  }

  /** Lays frames out as a burst that came in on `port`. */
  receive(port: number, frames: readonly Uint8Array[]): Burst {
    const { packets, offset, length, outPort, words } = this.memory
    const bytes = new Uint8Array(packets)
    frames.forEach((frame, i) => {
      offset[i] = i * BUFFER + HEADROOM
      length[i] = frame.length
      outPort[i] = DROP
      // What is beside the frame is not to be taken for a part of it.
      bytes.fill(0x5a, i * BUFFER, (i + 1) * BUFFER)
      bytes.set(frame, i * BUFFER + HEADROOM)
    })
    words[BurstWord.inPort] = port
    words[BurstWord.inQueue] = 0
    words[BurstWord.total] = frames.length
    words[BurstWord.copyCount] = 0
    words[BurstWord.payload] = sum(frames.map((frame) => Math.max(0, frame.length - 14)))
    this.#copies.length = 0
    this.burst.begin(frames.length)
    return this.burst
  }

  /** Copies that the program asked for, as `[frame, port]`. */
  copies(): readonly [number, number][] {
    this.#takeCopies()
    return this.#copies
  }

  /** What the program decided. */
  sent(): Sent {
    this.#takeCopies()
    const { packets, offset, length, outPort, words } = this.memory
    const sent: Sent = []
    const send = (frame: number, port: number) => {
      const bytes = Buffer.from(packets, offset[frame], length[frame])
      sent.push(`${port}:${bytes.toString('hex')}`)
    }
    for (let i = 0; i < (words[BurstWord.total] as number); i++)
      if (outPort[i] !== DROP) send(i, outPort[i] as number)
    for (const [frame, port] of this.#copies) send(frame, port)
    return sent.sort()
  }

  #create(bytes: number): number {
    const { offset, length, outPort, words } = this.memory
    const made = words[BurstWord.total] as number
    if (made === MAX_FRAMES || bytes < 14 || bytes > BUFFER - HEADROOM) return -1
    words[BurstWord.total] = made + 1
    offset[made] = made * BUFFER + HEADROOM
    length[made] = bytes
    outPort[made] = DROP
    return made
  }

  #duplicate(index: number): number {
    const { offset, length, words } = this.memory
    if (index >= (words[BurstWord.total] as number)) return -1
    const made = this.#create(length[index] as number)
    if (made === -1) return -1
    const from = offset[index] as number
    this.burst.bytes.copyWithin(offset[made] as number, from, from + (length[index] as number))
    return made
  }

  #takeCopies(): void {
    const { copyFrame, copyPort, words } = this.memory
    const count = words[BurstWord.copyCount] as number
    for (let i = 0; i < count; i++)
      this.#copies.push([copyFrame[i] as number, copyPort[i] as number])
    words[BurstWord.copyCount] = 0
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
