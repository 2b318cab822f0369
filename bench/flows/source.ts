/** The program of two guests: puts the frames on their way, then crosses its two ports. */
import type { Burst } from '../../src/index.js'
import type { Program, ProgramContext } from '../../src/programs/program.js'
import { flows, frameOf, imixFrames } from './flows.js'
import type { FlowLoadName } from './messages.js'

export interface SourceData {
  /** Names of the two ports. */
  readonly ports: readonly string[]
  readonly kind: FlowLoadName
  readonly frameBytes: number
}

/** Frames that are sent at once: less than a ring holds by far, since the switch takes as long as it takes. */
const BATCH = 32

class Source implements Program {
  readonly #ports: readonly number[]
  readonly #frames: readonly Uint8Array[]
  #sent = 0
  #done: (() => void) | undefined

  constructor(ports: readonly number[], frames: readonly Uint8Array[]) {
    this.#ports = ports
    this.#frames = frames
  }

  burst(burst: Burst): void {
    const other = this.#ports.find((port) => port !== burst.inPort) as number
    for (let i = 0; i < burst.count; i++) burst.outPort[i] = other
    this.#add(burst)
  }

  idle(burst: Burst): void {
    this.#add(burst)
  }

  #add(burst: Burst): void {
    if (this.#done === undefined) return
    for (let n = 0; n < BATCH && this.#sent < this.#frames.length; n++, this.#sent++) {
      const frame = this.#frames[this.#sent] as Uint8Array
      const index = burst.create(frame.length)
      if (index < 0) return
      burst.bytes.set(frame, burst.offset[index] as number)
      burst.outPort[index] = this.#ports[this.#sent % 2] as number
    }
    if (this.#sent === this.#frames.length) this.#done()
  }

  /** Begins. Resolves when all frames are on their way. */
  message(): Promise<void> {
    return new Promise((resolve) => {
      this.#done = resolve
    })
  }
}

export default function makeSource({ data, ports }: ProgramContext): Program {
  const { ports: names, kind, frameBytes } = data as SourceData
  return new Source(
    names.map((name) => ports.ids.get(name) as number),
    kind === 'imix' ? imixFrames() : flows().map((flow, i) => frameOf(flow, i, frameBytes)),
  )
}
