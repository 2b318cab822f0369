import { Burst, MAX_FRAMES, MAX_PORTS } from '../../src/burst/burst.js'
import { ExpectedSources } from '../../src/burst/expected-sources.js'

const BUFFER_BYTES = 2176
const HEADROOM = 128

/** A burst over ordinary memory, for the parts of the test kit that only read and write bytes. */
export class PlainBurst {
  readonly burst: Burst
  readonly #offset = new Uint32Array(MAX_FRAMES)
  readonly #length = new Uint32Array(MAX_FRAMES)
  readonly #outPort = new Int32Array(MAX_FRAMES)
  readonly #words = new Uint32Array(16)
  readonly #clock = new Float64Array(1)
  readonly #isReady = new Uint8Array(MAX_PORTS)
  /** Frames that `create` may still make. */
  room = MAX_FRAMES

  constructor() {
    const memory = {
      packets: new ArrayBuffer(MAX_FRAMES * BUFFER_BYTES),
      offset: this.#offset,
      length: this.#length,
      outPort: this.#outPort,
      copyFrame: new Uint32Array(MAX_FRAMES),
      copyPort: new Int32Array(MAX_FRAMES),
      words: this.#words,
      clock: this.#clock,
      readyPorts: new Uint32Array(MAX_PORTS),
      isReady: this.#isReady,
      expected: new Int32Array(ExpectedSources.WORDS),
    }
    this.burst = new Burst(memory, {
      flushCopies() {},
      create: (length) => this.#create(length),
      duplicate: () => -1,
    })
    this.burst.begin(0)
  }

  set now(ms: number) {
    this.#clock[0] = ms
  }

  linkUp(port: number, up: boolean): void {
    this.#isReady[port] = up ? 1 : 0
  }

  /** Begins the next burst, without frames. */
  empty(): void {
    this.#words[2] = 0
  }

  /** The bytes of a frame. */
  frame(index: number): Uint8Array {
    const at = this.#offset[index] as number
    return this.burst.bytes.subarray(at, at + (this.#length[index] as number))
  }

  #create(length: number): number {
    const index = this.#words[2] as number
    if (index >= this.room) return -1
    this.#words[2] = index + 1
    this.#offset[index] = index * BUFFER_BYTES + HEADROOM
    this.#length[index] = length
    return index
  }
}
