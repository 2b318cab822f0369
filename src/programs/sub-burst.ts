/**
 * Some frames of a burst as a burst of their own, for programs that hand frames to other programs.
 *
 * @packageDocumentation
 */
import { Burst, BurstWord, DROP, MAX_FRAMES } from '../burst/burst.js'
import { ExpectedSources } from '../burst/expected-sources.js'

/** Copies that are carried over together. */
const COPIES = MAX_FRAMES

/** Bytes of an Ethernet header. */
const HEADER = 14

/** What stands for the index of a frame that is none: the datapath counts it as a bad verdict. */
const NO_FRAME = MAX_FRAMES

/**
 * Collects frames of a burst, shows them to a program as a burst, and carries over what it decided:
 *
 * ```ts
 * frames.begin()
 * for (let i = 0; i < real.count; i++) if (isTheirs(i)) frames.add(i)
 * program.burst(frames.open(real))
 * frames.close()
 * ```
 *
 * The program sees all that a burst has: it can move, copy, make and duplicate frames, and the bytes are the same bytes.
 * Nothing is allocated after the first time. When the program throws, `close` is not called and none of its verdicts
 * count; copies that did not fit may be with the real burst already, which `real.dropAll()` takes back.
 */
export class SubBurst {
  /** Index in the real burst of each frame here; made ones included. */
  readonly #frames = new Uint32Array(MAX_FRAMES)
  /** Frame here that a frame is a duplicate of, or -1. */
  readonly #original = new Int32Array(MAX_FRAMES)
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

  /** Frames that were added. */
  get count(): number {
    return this.#count
  }

  /** Frames that were added or, since `open`, made by the program. */
  get total(): number {
    return this.#words[BurstWord.total] as number
  }

  /** Forgets all frames. */
  begin(): void {
    this.#count = 0
    this.#words[BurstWord.total] = 0
    this.#words[BurstWord.copyCount] = 0
  }

  /**
   * Adds frame `index` of the real burst. The same frame may be added again: then it is decided again, and all that
   * decide it see and move the same bytes.
   *
   * @returns false when there is no room, which takes {@link MAX_FRAMES} of them
   */
  add(index: number): boolean {
    if (this.#count === MAX_FRAMES) return false
    this.#frames[this.#count++] = index
    return true
  }

  /** Index in the real burst of frame `index` here. */
  realIndex(index: number): number {
    return index < this.total ? (this.#frames[index] ?? NO_FRAME) : NO_FRAME
  }

  /** Index here of the frame that frame `index` was duplicated from, or -1. */
  originalOf(index: number): number {
    return index < this.total ? (this.#original[index] ?? -1) : -1
  }

  /** The frames as a burst, until `close` or `begin`. */
  open(real: Burst): Burst {
    const count = this.#count
    this.#real = real
    let payload = 0
    for (let i = 0; i < count; i++) {
      const frame = this.#frames[i] as number
      const length = real.length[frame] as number
      this.#offset[i] = real.offset[frame] as number
      this.#length[i] = length
      payload += length < HEADER ? 0 : length - HEADER
    }
    this.#outPort.fill(DROP, 0, count)
    this.#original.fill(-1, 0, count)
    this.#words[BurstWord.inPort] = real.inPort
    this.#words[BurstWord.inQueue] = real.inQueue
    this.#words[BurstWord.total] = count
    this.#words[BurstWord.copyCount] = 0
    this.#words[BurstWord.payload] = payload
    this.#words[BurstWord.readyCount] = real.readyCount
    this.#words[BurstWord.readyEpoch] = real.readyEpoch
    this.#clock[0] = real.now
    const burst = this.#burstOver(real)
    burst.begin(count)
    return burst
  }

  /** Carries over to the real burst what was decided, after what is decided there: a second receiver becomes a copy. */
  close(): void {
    const real = this.#real as Burst
    const { total } = this
    // First, because a list of copies that gets full is sent as the frames are then.
    this.#carryPlaces()
    for (let i = 0; i < total; i++) {
      const port = this.#outPort[i] as number
      if (port === DROP) continue
      const frame = this.#frames[i] as number
      if (real.outPort[frame] === DROP) real.outPort[frame] = port
      else real.copyTo(frame, port)
    }
    this.#carryCopies()
    this.begin()
  }

  #carryPlaces(): void {
    const real = this.#real as Burst
    for (let i = 0; i < this.total; i++) {
      const frame = this.#frames[i] as number
      real.offset[frame] = this.#offset[i] as number
      real.length[frame] = this.#length[i] as number
    }
  }

  #carryCopies(): void {
    const real = this.#real as Burst
    const copies = this.#words[BurstWord.copyCount] as number
    for (let i = 0; i < copies; i++) {
      const frame = this.realIndex(this.#copyFrame[i] as number)
      real.copyTo(frame, this.#copyPort[i] as number)
    }
    this.#words[BurstWord.copyCount] = 0
  }

  #create(length: number): number {
    if (this.total === MAX_FRAMES) return -1
    return this.#append((this.#real as Burst).create(length), -1)
  }

  #duplicate(index: number): number {
    if (this.total === MAX_FRAMES) return -1
    const real = this.#real as Burst
    const frame = this.realIndex(index)
    if (frame !== NO_FRAME) {
      real.offset[frame] = this.#offset[index] as number
      real.length[frame] = this.#length[index] as number
    }
    return this.#append(real.duplicate(frame), index)
  }

  #append(frame: number, original: number): number {
    if (frame < 0) return -1
    const real = this.#real as Burst
    const made = this.total
    this.#frames[made] = frame
    this.#original[made] = original
    this.#offset[made] = real.offset[frame] as number
    this.#length[made] = real.length[frame] as number
    this.#outPort[made] = DROP
    this.#words[BurstWord.total] = made + 1
    return made
  }

  /**
   * A burst of the same packet memory. Made once: an lcore has one, and a sub-burst of a sub-burst is laid over the same
   * as its real one.
   */
  #burstOver(real: Burst): Burst {
    const burst = this.#burst
    if (burst?.readyPorts === real.readyPorts && burst.bytes.buffer === real.bytes.buffer)
      return burst
    return this.#newBurst(real)
  }

  /** On its own, because a function that holds closures allocates at every call what they share. */
  #newBurst({ readyPorts, isReady, bytes }: Burst): Burst {
    const packets = bytes.buffer as ArrayBuffer
    this.#burst = new Burst(
      {
        packets,
        offset: this.#offset,
        length: this.#length,
        outPort: this.#outPort,
        copyFrame: this.#copyFrame,
        copyPort: this.#copyPort,
        words: this.#words,
        clock: this.#clock,
        readyPorts,
        isReady,
        // Nobody looks for them here.
        expected: new Int32Array(ExpectedSources.WORDS),
      },
      {
        flushCopies: () => {
          this.#carryPlaces()
          this.#carryCopies()
        },
        create: (length) => this.#create(length),
        duplicate: (index) => this.#duplicate(index),
      },
    )
    return this.#burst
  }
}
