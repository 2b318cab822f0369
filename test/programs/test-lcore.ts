import { type Burst, type BurstMemory, DROP } from '../../src/burst/burst.js'
import type { PortDirectory, Program } from '../../src/programs/program.js'
import { MadeUpBurst } from '../support/made-up-burst.js'

/** Room for copies; small, so that tests reach the end of it. */
const COPIES = 64

/** What a program did with one burst. */
export interface Outcome {
  /** Frames that went out, as `[index, port]`, in the order of their indices, then of their ports. */
  sent: [number, number][]
  /** Indices of the frames that went nowhere. */
  dropped: number[]
}

/** A program, and bursts for it. */
export class TestLcore {
  readonly names = new Map<number, string>()
  readonly #program: Program
  readonly #made: MadeUpBurst

  constructor(program: Program, ports: readonly string[] = []) {
    this.#program = program
    this.#made = new MadeUpBurst(ports.length, COPIES)
    ports.forEach((name, id) => {
      this.names.set(id, name)
    })
    this.portsChanged()
  }

  get memory(): BurstMemory {
    return this.#made.memory
  }

  get burst(): Burst {
    return this.#made.burst
  }

  /** Tells the program of the ports. */
  portsChanged(): void {
    const ids = new Map([...this.names].map(([id, name]) => [name, id]))
    const directory: PortDirectory = { ids, names: new Map(this.names) }
    this.#program.portsChanged?.(directory)
  }

  setReady(port: number, ready: boolean): void {
    this.#made.setReady(port, ready)
  }

  /** Moves the clock on. */
  pass(seconds: number): void {
    this.#made.pass(seconds)
  }

  /** Lays frames out as a burst that came in on `port`. */
  receive(port: number, frames: readonly Uint8Array[]): void {
    this.#made.receive(port, frames)
  }

  /** Runs the program over frames that came in on `port`. */
  run(port: number, ...frames: Uint8Array[]): Outcome {
    this.#program.burst(this.#made.receive(port, frames))
    const sent = [...this.#made.copies()]
    const dropped: number[] = []
    for (let i = 0; i < frames.length; i++) {
      const verdict = this.memory.outPort[i] as number
      if (verdict !== DROP) sent.push([i, verdict])
      else if (!sent.some(([frame]) => frame === i)) dropped.push(i)
    }
    return { sent: sent.sort(([a, p], [b, q]) => a - b || p - q), dropped }
  }
}
