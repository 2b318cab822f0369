import { buildEthernet } from '../../src/headers/build.js'
import { BROADCAST_MAC } from '../../src/headers/mac.js'

/** Address of station `n`, locally administered. */
export function station(n: number): number {
  return 0x020000000000 + n
}

/** A frame of 60 bytes between two addresses. */
export function frame(source: number, destination: number): Uint8Array {
  return buildEthernet({ source, destination, type: 0x88b5, minLength: 60 })
}

/** A frame from a station to everybody. */
export function broadcast(source: number): Uint8Array {
  return frame(source, BROADCAST_MAC)
}
