import type { MirrorCounters } from '../control.js'
import { add64, read64 } from './memory.js'

const FRAMES = 0
const BYTES = 2

/** Counters of one mirror, zeroed. The lcores of its bridge share them, and they live as long as the mirror. */
export function newMirrorCounters(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * Int32Array.BYTES_PER_ELEMENT)
}

/** Adds what an lcore sent of one burst. */
export function countMirrored(counters: Int32Array, frames: number, bytes: number): void {
  add64(counters, FRAMES, frames)
  add64(counters, BYTES, bytes)
}

/** For the control plane. */
export function readMirrorCounters(counters: SharedArrayBuffer): MirrorCounters {
  const words = new Int32Array(counters)
  return { frames: read64(words, FRAMES), bytes: read64(words, BYTES) }
}
