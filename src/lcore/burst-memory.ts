import type { BurstMemory } from '../burst/burst.js'
import type { NativeLcore } from '../native/binding.js'

/** Lays typed arrays over the block that an lcore shares with JavaScript. */
export function burstMemory(native: NativeLcore, packets: ArrayBuffer): BurstMemory {
  const { buffer, ...places } = native.block
  const u32 = ({ at, length }: { at: number; length: number }) =>
    new Uint32Array(buffer, at, length)
  const i32 = ({ at, length }: { at: number; length: number }) => new Int32Array(buffer, at, length)
  return {
    packets,
    offset: u32(places.offset),
    length: u32(places.length),
    outPort: i32(places.outPort),
    copyFrame: u32(places.copyFrame),
    copyPort: i32(places.copyPort),
    words: u32(places.words),
    clock: new Float64Array(buffer, places.clock.at, places.clock.length),
    readyPorts: u32(places.readyPorts),
    isReady: new Uint8Array(buffer, places.isReady.at, places.isReady.length),
    expected: i32(places.expected),
  }
}
