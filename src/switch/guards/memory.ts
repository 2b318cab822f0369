/**
 * What all lcores share of the guards: policers and counters by port id.
 *
 * ```
 *  port 0: | ingress counters, policers of frames and of bytes |   port 1: ...
 *          | egress counters, policers of frames and of bytes  |
 *            64 bytes each: what comes in and what goes out is often counted on different lcores
 * ```
 *
 * @packageDocumentation
 */
import { MAX_PORTS } from 'dpdk-vhost'
import { Policer } from 'dpdk-vhost/qos'

const LINE = 16
const PORT_WORDS = 2 * LINE

/** Places of counters from a port's first word: two words each, the lower half first. */
export const Counter = {
  ingressPoliced: 0,
  portSecurity: 2,
  egressPoliced: LINE,
} as const

/** Places of policers from the first word of a direction. */
export const POLICED_BYTES = 4
export const POLICED_FRAMES = POLICED_BYTES + Policer.WORDS

/** Places of directions from a port's first word. */
export const Direction = { ingress: 0, egress: LINE } as const

/** Memory of the guards of one bridge, zeroed. Its lcores share it, and it lives as long as the bridge. */
export function newGuardMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(MAX_PORTS * PORT_WORDS * Int32Array.BYTES_PER_ELEMENT)
}

/** Index of a port's first word. */
export function portWords(portId: number): number {
  return portId * PORT_WORDS
}

/** Frames that guards dropped, of one port. */
export interface GuardDrops {
  /** Received above the rates of the port's ingress policers. */
  readonly ingressPoliced: number
  /** Received from an address that the port may not use. */
  readonly portSecurity: number
  /** Sent above the rates of its egress policers. */
  readonly egressPoliced: number
}

/** Reads the counters of a port. For the control plane. */
export function readGuardCounters(memory: SharedArrayBuffer, portId: number): GuardDrops {
  const words = new Int32Array(memory)
  const at = portWords(portId)
  const read = (counter: number) => {
    const high = Atomics.load(words, at + counter + 1) >>> 0
    return high * 2 ** 32 + (Atomics.load(words, at + counter) >>> 0)
  }
  return {
    ingressPoliced: read(Counter.ingressPoliced),
    portSecurity: read(Counter.portSecurity),
    egressPoliced: read(Counter.egressPoliced),
  }
}

/** Zeroes the counters and fills the buckets of a port: for an id that another port had before. */
export function resetGuardPort(memory: SharedArrayBuffer, portId: number): void {
  const words = new Int32Array(memory)
  const at = portWords(portId)
  for (let i = 0; i < PORT_WORDS; i++) Atomics.store(words, at + i, 0)
}

/**
 * Counts `frames` more. A 64-bit `Atomics.add` would allocate, so the halves are added to one after the other: a reader
 * may see the lower one wrapped before the higher one is counted up.
 */
export function countDrops(words: Int32Array, portId: number, counter: number, frames: number) {
  const at = portWords(portId) + counter
  const before = Atomics.add(words, at, frames) >>> 0
  if (before + frames >= 2 ** 32) Atomics.add(words, at + 1, 1)
}
