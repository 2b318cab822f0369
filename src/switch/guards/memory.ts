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
import { MAX_PORTS } from 'dpdk-vhost/programs/program'
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

/** By memory: a scrape reads the counters of hundreds of ports. */
const wordsOf = new WeakMap<SharedArrayBuffer, Int32Array>()

function wordsOver(memory: SharedArrayBuffer): Int32Array {
  const known = wordsOf.get(memory)
  if (known !== undefined) return known
  const words = new Int32Array(memory)
  wordsOf.set(memory, words)
  return words
}

/** Reads the counters of a port. For the control plane. */
export function readGuardCounters(memory: SharedArrayBuffer, portId: number): GuardDrops {
  const words = wordsOver(memory)
  const at = portWords(portId)
  const read = (counter: number) => read64(words, at + counter)
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

/** Counts `frames` more. */
export function countDrops(words: Int32Array, portId: number, counter: number, frames: number) {
  add64(words, portWords(portId) + counter, frames)
}

/**
 * Adds to a counter of two words, the lower half first. A 64-bit `Atomics.add` would allocate, so the halves are added to
 * one after the other: a reader may see the lower one wrapped before the higher one is counted up.
 *
 * @param value - below 2^32
 */
export function add64(words: Int32Array, at: number, value: number): void {
  const before = Atomics.add(words, at, value) >>> 0
  if (before + value >= 2 ** 32) Atomics.add(words, at + 1, 1)
}

/** Reads a counter of two words. */
export function read64(words: Int32Array, at: number): number {
  return (Atomics.load(words, at + 1) >>> 0) * 2 ** 32 + (Atomics.load(words, at) >>> 0)
}
