/**
 * Numbered frames: UDP datagrams whose payload says which frame of which flow they are, so that a receiver can tell
 * what was lost, repeated, overtaken or spoiled on the way.
 *
 * ```
 *   0  Ethernet (14)
 *  14  IPv4 (20), no options
 *  34  UDP (8): the flow is the source port, the destination port is 9 (discard)
 *  42  magic (4) · stream (4) · number (4) · time in µs (4) · flow (2) · address sum (2) · zero (2)
 *  64  fill: the same bytes in every frame
 * ```
 *
 * The UDP checksum covers everything from the IP addresses on. The address sum covers MAC addresses, TTL, protocol, IP
 * addresses and ports as they were sent, so that a receiver can tell rewritten headers from spoiled ones.
 *
 * @packageDocumentation
 */
import { fold, internetSum } from '../../headers/checksum.js'

/** Length of the shortest numbered frame. */
export const MIN_FRAME = 64

/** Ethernet header in front of the MTU's bytes. */
export const ETHERNET_BYTES = 14

/** What every numbered frame carries: "dpvh". */
export const MAGIC = 0x64707668

/** UDP port that numbered frames go to. */
export const DISCARD_PORT = 9

/** UDP port that flow 0 comes from. */
export const FIRST_SOURCE_PORT = 10_000

/** Offsets of fields from the start of an untagged frame. */
export const At = {
  etherType: 12,
  ip: 14,
  ipLength: 16,
  ipTtl: 22,
  ipChecksum: 24,
  sourceIp: 26,
  destinationIp: 30,
  sourcePort: 34,
  udpLength: 38,
  udpChecksum: 40,
  magic: 42,
  stream: 46,
  number: 50,
  time: 54,
  flow: 58,
  addressSum: 60,
  fill: 64,
} as const

/** Longest frame there can be, with two VLAN tags and the largest MTU. */
const MOST_FILL = 10_240

/** The fill of all frames; it does not repeat, so that bytes in the wrong place are noticed. */
export const FILL = makeFill()

/** The same as words in host byte order. */
export const FILL_WORDS = new Int32Array(FILL.buffer)

/** Internet sum of the first so many bytes of the fill. */
export const FILL_SUMS = makeFillSums()

function makeFill(): Uint8Array {
  const fill = new Uint8Array(MOST_FILL)
  let state = 0x9e3779b9
  for (let i = 0; i < fill.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    fill[i] = state >>> 8
  }
  return fill
}

function makeFillSums(): Uint16Array {
  const sums = new Uint16Array(MOST_FILL + 1)
  let sum = 0
  for (let length = 1; length <= MOST_FILL; length++) {
    const byte = FILL[length - 1] as number
    sum = fold(sum + (length % 2 === 1 ? byte << 8 : byte))
    sums[length] = sum
  }
  return sums
}

/** Sum of what identifies sender and receiver in the frame at `at` whose IP header is at `ip`. */
export function addressSum(view: DataView, at: number, ip: number): number {
  const macs = internetSum(view, at, at + 12)
  const ttlAndProtocol = view.getUint16(ip + 8)
  return internetSum(view, ip + 12, ip + 24, fold(macs + ttlAndProtocol))
}
