import {
  Burst,
  type BurstMemory,
  BurstWord,
  DROP,
  MAX_FRAMES,
  MAX_PORTS,
} from '../../src/burst/burst.js'
import { ExpectedSources } from '../../src/burst/expected-sources.js'
import { buildUdp } from '../../src/headers/build.js'

/** Frames of one burst. */
export const BURST = 32

/** Buffers in packet memory, from which every burst takes the next ones, as a pool gives them out: 23 MB. */
export const BUFFERS = 10_240

/** Ports 0 to 3 are ready. */
const PORTS = 4

const BUFFER_BYTES = 2304
const HEADROOM = 128

/** Bursts of UDP frames, all the same at first, over packet memory of their own, one after the other. */
export class Bursts {
  readonly burst: Burst
  /** Packet memory as 16-bit words; frames begin at even places. */
  readonly words: Uint16Array
  readonly #memory: BurstMemory
  readonly #bytes: number
  #next = 0

  constructor() {
    const packets = new ArrayBuffer(BUFFERS * BUFFER_BYTES)
    this.words = new Uint16Array(packets)
    this.#memory = {
      packets,
      offset: new Uint32Array(MAX_FRAMES),
      length: new Uint32Array(MAX_FRAMES),
      outPort: new Int32Array(MAX_FRAMES),
      copyFrame: new Uint32Array(MAX_FRAMES),
      copyPort: new Int32Array(MAX_FRAMES),
      words: new Uint32Array(16),
      clock: Float64Array.of(1_000_000),
      readyPorts: new Uint32Array(MAX_PORTS),
      isReady: new Uint8Array(MAX_PORTS).fill(1, 0, PORTS),
      expected: new Int32Array(ExpectedSources.WORDS),
    }
    const frame = buildUdp({
      source: '02:00:00:00:00:01',
      destination: '02:00:00:00:00:02',
      sourceIp: '10.0.0.1',
      destinationIp: '10.0.0.2',
      sourcePort: 1,
      destinationPort: 2,
      minLength: 60,
    })
    const bytes = new Uint8Array(packets)
    for (let i = 0; i < BUFFERS; i++) bytes.set(frame, i * BUFFER_BYTES + HEADROOM)
    this.#bytes = frame.length
    this.burst = new Burst(this.#memory, {
      flushCopies() {},
      create: () => -1,
      duplicate: () => -1,
    })
  }

  /** Begins the next burst. */
  take(inPort = 0): void {
    const { offset, length, outPort, clock, words } = this.#memory
    for (let i = 0; i < BURST; i++) {
      offset[i] = this.#next * BUFFER_BYTES + HEADROOM
      length[i] = this.#bytes
      outPort[i] = DROP
      this.#next = this.#next + 1 === BUFFERS ? 0 : this.#next + 1
    }
    clock[0] = (clock[0] as number) + 0.002
    words[BurstWord.inPort] = inPort
    words[BurstWord.payload] = BURST * (this.#bytes - 14)
    this.burst.begin(BURST)
  }
}
