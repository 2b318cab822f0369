import { binding } from '../../native/binding.js'

const { layout } = binding
const FRAMES = layout.txNames.indexOf('frames')

/**
 * How many frames the ring of one tx queue took: a program is not told, and the counters of a port cannot be had on its
 * thread through the public API.
 */
export class RingAcceptance {
  readonly #block = new Float64Array(binding.counters())
  readonly #queue: number
  #at = 0

  constructor(queue: number) {
    this.#queue = queue
  }

  setPort(port: number): void {
    this.#at = port * layout.portStride + layout.tx + this.#queue * layout.txStride + FRAMES
  }

  /** Frames taken since the port exists. */
  get frames(): number {
    return this.#block[this.#at] as number
  }
}
