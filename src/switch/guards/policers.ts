import { type BucketTime, Color, Policer } from 'dpdk-vhost/qos'
import type { AttachmentSpec } from '../spec.js'
import { POLICED_BYTES, POLICED_FRAMES } from './memory.js'

/** Where a rate was given and no burst, as in OVS: kilobits, and thousands of frames, at once. */
const DEFAULT_KBITS = 8000
const DEFAULT_KPKTS = 16

const BYTES_A_KBIT = 125

/** What a port lets in, or out: frames that pass all of its policers. */
export class PortPolicer {
  readonly #bytes: Policer | undefined
  readonly #frames: Policer | undefined

  constructor(bytes: Policer | undefined, frames: Policer | undefined) {
    this.#bytes = bytes
    this.#frames = frames
  }

  /** Begins with a burst. What is going to be asked for may be given, or 0. */
  open(time: BucketTime, bytes: number, frames: number): void {
    this.#bytes?.open(time, bytes)
    this.#frames?.open(time, frames)
  }

  /** Whether a frame may pass; if so, it has. */
  pass(bytes: number): boolean {
    const ofFrames = this.#frames
    const color = ofFrames === undefined ? Color.green : ofFrames.color(1)
    if (color === Color.red) return false
    if (this.#bytes === undefined || this.#bytes.pass(bytes)) return true
    ofFrames?.giveBack(1, color)
    return false
  }

  /** Whether so many frames of so many bytes may pass, all of them as green ones; if not, none has. Neither begins nor ends with a burst. */
  passAll(time: BucketTime, bytes: number, frames: number): boolean {
    if (this.#frames?.passAll(time, frames) === false) return false
    if (this.#bytes?.passAll(time, bytes) !== false) return true
    this.#frames?.giveBack(frames, Color.green)
    return false
  }

  /** Ends the work on a burst. */
  close(): void {
    this.#bytes?.close()
    this.#frames?.close()
  }
}

/**
 * What polices the frames received from a port; undefined: nothing.
 *
 * @param at - first word of its direction
 */
export function ingressPolicer(
  words: Int32Array,
  at: number,
  port: AttachmentSpec,
): PortPolicer | undefined {
  const bytes = ofRate(port.ingressPolicingRate, port.ingressPolicingBurst, DEFAULT_KBITS)
  const frames = ofRate(
    port.ingressPolicingKpktsRate,
    port.ingressPolicingKpktsBurst,
    DEFAULT_KPKTS,
  )
  return portPolicer(
    words,
    at,
    port.ingressPolicer ?? times(BYTES_A_KBIT, bytes),
    port.ingressPacketPolicer ?? times(1000, frames),
  )
}

/** What polices the frames sent to a port. */
export function egressPolicer(
  words: Int32Array,
  at: number,
  port: AttachmentSpec,
): PortPolicer | undefined {
  return portPolicer(words, at, port.egressPolicer, port.egressPacketPolicer)
}

function portPolicer(
  words: Int32Array,
  at: number,
  bytes: AttachmentSpec['egressPolicer'],
  frames: AttachmentSpec['egressPolicer'],
): PortPolicer | undefined {
  if (bytes === undefined && frames === undefined) return undefined
  return new PortPolicer(
    bytes && new Policer(words, at + POLICED_BYTES, bytes),
    frames && new Policer(words, at + POLICED_FRAMES, frames),
  )
}

function ofRate(rate: number, burst: number, orElse: number) {
  return rate === 0 ? undefined : { cir: rate, cbs: burst === 0 ? orElse : burst }
}

function times(factor: number, rate: { cir: number; cbs: number } | undefined) {
  return rate && { cir: rate.cir * factor, cbs: rate.cbs * factor }
}
