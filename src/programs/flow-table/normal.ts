import { Burst, BurstWord, MAX_FRAMES } from '../../burst/burst.js'
import type { Program } from '../program.js'
import { sendTo } from './send.js'

/** Copies that the switch may ask for before they are carried out. */
const COPIES = MAX_FRAMES

/**
 * The switch behind the action `normal`. The frames it gets are collected during a burst, and handed to it as a burst
 * of their own when that ends; what it decides is carried over. It cannot make frames.
 */
export class Normal {
  readonly program: Program
  readonly #frames = new Uint32Array(MAX_FRAMES)
  #count = 0
  #real: Burst | undefined
  #burst: Burst | undefined
  readonly #words = new Uint32Array(16)
  readonly #clock = new Float64Array(1)
  readonly #offset = new Uint32Array(MAX_FRAMES)
  readonly #length = new Uint32Array(MAX_FRAMES)
  readonly #outPort = new Int32Array(MAX_FRAMES)
  readonly #copyFrame = new Uint32Array(COPIES)
  readonly #copyPort = new Int32Array(COPIES)

  constructor(program: Program) {
    this.program = program
  }

  /** Notes frame `index` of the burst that is being decided. */
  add(index: number): void {
    // A frame can come here more often than there is room for: by rules that hand it to the switch again and again.
    if (this.#count < MAX_FRAMES) this.#frames[this.#count++] = index
  }

  /** Forgets frames of a burst that was not finished. */
  begin(): void {
    this.#count = 0
  }

  /** Lets the switch decide the frames that were noted. */
  finish(real: Burst): void {
    const count = this.#count
    if (count === 0) return
    const burst = this.#burstOver(real)
    for (let i = 0; i < count; i++) {
      const frame = this.#frames[i] as number
      this.#offset[i] = real.offset[frame] as number
      this.#length[i] = real.length[frame] as number
      this.#outPort[i] = -1
    }
    this.#words[BurstWord.inPort] = real.inPort
    this.#words[BurstWord.inQueue] = real.inQueue
    this.#words[BurstWord.total] = count
    this.#words[BurstWord.copyCount] = 0
    this.#words[BurstWord.readyCount] = real.readyCount
    this.#words[BurstWord.readyEpoch] = real.readyEpoch
    this.#clock[0] = real.now
    burst.begin(count)
    this.program.burst(burst)
    for (let i = 0; i < count; i++) {
      const frame = this.#frames[i] as number
      const port = this.#outPort[i] as number
      if (port >= 0) sendTo(real, frame, port)
      real.offset[frame] = this.#offset[i] as number
      real.length[frame] = this.#length[i] as number
    }
    this.#carryCopies()
    this.#count = 0
  }

  #carryCopies(): void {
    const real = this.#real as Burst
    const copies = this.#words[BurstWord.copyCount] as number
    for (let i = 0; i < copies; i++) {
      const frame = this.#frames[this.#copyFrame[i] as number] as number
      real.copyTo(frame, this.#copyPort[i] as number)
    }
    this.#words[BurstWord.copyCount] = 0
  }

  /** A burst of the same packet memory; made once for each real one. */
  #burstOver(real: Burst): Burst {
    if (this.#burst !== undefined && this.#real === real) return this.#burst
    this.#real = real
    this.#burst = new Burst(
      {
        packets: real.bytes.buffer as ArrayBuffer,
        offset: this.#offset,
        length: this.#length,
        outPort: this.#outPort,
        copyFrame: this.#copyFrame,
        copyPort: this.#copyPort,
        words: this.#words,
        clock: this.#clock,
        readyPorts: real.readyPorts,
        isReady: real.isReady,
      },
      { flushCopies: () => this.#carryCopies(), create: () => -1, duplicate: () => -1 },
    )
    return this.#burst
  }
}
