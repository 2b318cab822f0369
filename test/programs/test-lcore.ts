import {
  Burst,
  type BurstMemory,
  BurstWord,
  DROP,
  MAX_FRAMES,
  MAX_PORTS,
} from '../../src/burst/burst.js'
import type { PortDirectory, Program } from '../../src/programs/program.js'

/** Bytes from one frame's buffer to the next. */
const BUFFER = 2304
const HEADROOM = 128

/** Room for copies; small, so that tests reach the end of it. */
const COPIES = 64

/** What a program did with one burst. */
export interface Outcome {
  /** Frames that went out, as `[index, port]`, in the order of their indices, then of their ports. */
  sent: [number, number][]
  /** Indices of the frames that went nowhere. */
  dropped: number[]
}

/** The real {@link Burst} over ordinary memory, with as much of an lcore around it as programs see. */
export class TestLcore {
  readonly memory: BurstMemory
  readonly burst: Burst
  readonly names = new Map<number, string>()
  readonly #program: Program
  readonly #copies: [number, number][] = []

  constructor(program: Program, ports: readonly string[] = []) {
    this.#program = program
    this.memory = {
      packets: new ArrayBuffer(MAX_FRAMES * BUFFER),
      offset: new Uint32Array(MAX_FRAMES),
      length: new Uint32Array(MAX_FRAMES),
      outPort: new Int32Array(MAX_FRAMES),
      copyFrame: new Uint32Array(COPIES),
      copyPort: new Int32Array(COPIES),
      words: new Uint32Array(16),
      clock: Float64Array.of(1_000_000),
      readyPorts: new Uint32Array(MAX_PORTS),
      isReady: new Uint8Array(MAX_PORTS),
    }
    this.burst = new Burst(this.memory, {
      flushCopies: () => this.#takeCopies(),
      create: () => -1,
      duplicate: () => -1,
    })
    ports.forEach((name, id) => {
      this.names.set(id, name)
      this.setReady(id, true)
    })
    this.portsChanged()
  }

  /** Tells the program of the ports. */
  portsChanged(): void {
    const ids = new Map([...this.names].map(([id, name]) => [name, id]))
    const directory: PortDirectory = { ids, names: new Map(this.names) }
    this.#program.portsChanged?.(directory)
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
  receive(port: number, frames: readonly Uint8Array[]): void {
    const { packets, offset, length, outPort, words } = this.memory
    const bytes = new Uint8Array(packets)
    frames.forEach((frame, i) => {
      offset[i] = i * BUFFER + HEADROOM
      length[i] = frame.length
      outPort[i] = DROP
      bytes.set(frame, i * BUFFER + HEADROOM)
    })
    words[BurstWord.inPort] = port
    words[BurstWord.inQueue] = 0
    words[BurstWord.total] = frames.length
    words[BurstWord.copyCount] = 0
  }

  /** Runs the program over frames that came in on `port`. */
  run(port: number, ...frames: Uint8Array[]): Outcome {
    this.receive(port, frames)
    this.#copies.length = 0
    this.burst.begin(frames.length)
    this.#program.burst(this.burst)
    this.#takeCopies()
    const sent = this.#copies.slice()
    const dropped: number[] = []
    for (let i = 0; i < frames.length; i++) {
      const verdict = this.memory.outPort[i] as number
      if (verdict !== DROP) sent.push([i, verdict])
      else if (!sent.some(([frame]) => frame === i)) dropped.push(i)
    }
    return { sent: sent.sort(([a, p], [b, q]) => a - b || p - q), dropped }
  }

  #takeCopies(): void {
    const { copyFrame, copyPort, words } = this.memory
    const count = words[BurstWord.copyCount] as number
    for (let i = 0; i < count; i++)
      this.#copies.push([copyFrame[i] as number, copyPort[i] as number])
    words[BurstWord.copyCount] = 0
  }
}
