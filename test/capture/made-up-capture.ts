import type { CaptureImage } from '../../src/capture/image.js'
import { Merger } from '../../src/capture/merger.js'
import { interfaceDescription } from '../../src/capture/pcapng.js'
import { newRings } from '../../src/capture/ring.js'
import { type CapturedFrame, PcapngScanner } from '../../src/switch/cli/pcapng-scanner.js'

/** Of the made-up lcores' clock. */
export const START = { clock: 1_000_000, high: 0x18a0_0000, low: 0xffff_fff0 }

/** A capture of lcores without DPDK: rings, a clock that runs exactly, and what a reader gets. */
export class MadeUpCapture {
  readonly rings = newRings(2)
  readonly image: CaptureImage
  readonly merger = new Merger(this.rings, Number.POSITIVE_INFINITY)
  readonly #clock = new SharedArrayBuffer(40)
  readonly #ports: readonly string[]

  constructor(ports: readonly string[], given: Partial<CaptureImage> = {}) {
    this.#ports = ports
    this.setClock(START)
    this.image = {
      id: 1,
      filter: undefined,
      snaplen: 262_144,
      direction: 'both',
      interfaces: new Map(ports.map((name, id) => [name, id])),
      clock: this.#clock,
      rings: this.rings,
      ...given,
    }
  }

  setClock({ clock, high, low }: typeof START): void {
    new Float64Array(this.#clock).set([clock, high, low, 1e6], 1)
    // A whole number of lines were drawn.
    Atomics.add(new Int32Array(this.#clock), 0, 2)
  }

  /** What has been captured since the last call. */
  frames(): CapturedFrame[] {
    const frames: CapturedFrame[] = []
    const scanner = new PcapngScanner((frame) =>
      frames.push({ ...frame, bytes: Buffer.from(frame.bytes) }),
    )
    for (const name of this.#ports) scanner.take(interfaceDescription(name, 0, undefined))
    for (let chunk = this.merger.take(); chunk !== undefined; chunk = this.merger.take())
      scanner.take(chunk)
    return frames
  }
}
