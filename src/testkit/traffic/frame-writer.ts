import type { Burst } from '../../burst/burst.js'
import { fold, internetSum } from '../../headers/checksum.js'
import { EtherType } from '../../headers/ethernet.js'
import { parseIpv4 } from '../../headers/ip-address.js'
import { writeMac } from '../../headers/mac.js'
import {
  At,
  addressSum,
  DISCARD_PORT,
  ETHERNET_BYTES,
  FILL,
  FILL_SUMS,
  FIRST_SOURCE_PORT,
  MAGIC,
  MIN_FRAME,
} from './numbered-frame.js'

/** What all frames of a stream have in common. */
export interface FrameFields {
  readonly stream: number
  readonly source: number
  /** Destination MAC addresses. */
  readonly destinations: readonly number[]
  readonly sourceIp: string
  readonly destinationIp: string
  /** UDP source ports to each destination. */
  readonly flows: number
  readonly sizes: readonly number[]
}

const UDP = 17

/**
 * Writes numbered frames. What can be known before is computed once per size and per sub-stream, which is one flow to
 * one destination; a frame then costs a copy and a handful of stores.
 */
export class FrameWriter {
  /** Flows of all destinations: number `d + destinations * f` is flow `f` to destination `d`. */
  readonly subStreams: number
  readonly #template = new Uint8Array(MIN_FRAME)
  readonly #words = new Int32Array(this.#template.buffer)
  readonly #view = new DataView(this.#template.buffer)
  readonly #destinations: readonly number[]
  readonly #sizes: Uint16Array
  readonly #fills: readonly Uint8Array[]
  readonly #ipChecksums: Uint16Array
  /** Sums of everything under the UDP checksum that depends on the size, and on the sub-stream. */
  readonly #sizeSums: Uint16Array
  readonly #subSums: Uint16Array
  readonly #addressSums: Uint16Array
  #memory: Int32Array | undefined

  constructor(fields: FrameFields) {
    const { destinations, sizes } = fields
    const view = this.#view
    this.#destinations = destinations
    this.subStreams = destinations.length * fields.flows
    this.#sizes = Uint16Array.from(sizes)
    this.#fills = sizes.map((size) => FILL.subarray(0, size - At.fill))
    this.#prepareHeaders(fields)

    this.#ipChecksums = Uint16Array.from(sizes, (size) => {
      view.setUint16(At.ipLength, size - ETHERNET_BYTES)
      return ~internetSum(view, At.ip, At.sourcePort) & 0xffff
    })
    view.setUint16(At.ipLength, 0)
    this.#sizeSums = Uint16Array.from(sizes, (size) => {
      const udpLength = size - At.sourcePort
      return fold(2 * udpLength + (FILL_SUMS[size - At.fill] as number))
    })
    const pseudoHeader = internetSum(view, At.sourceIp, At.sourcePort, UDP)
    this.#subSums = new Uint16Array(this.subStreams)
    this.#addressSums = new Uint16Array(this.subStreams)
    for (let sub = 0; sub < this.subStreams; sub++) {
      this.#setSubStream(view, 0, sub)
      const sum = addressSum(view, 0, At.ip)
      this.#addressSums[sub] = sum
      view.setUint16(At.addressSum, sum)
      this.#subSums[sub] = internetSum(view, At.sourcePort, At.fill, pseudoHeader)
    }
  }

  /** Index in `destinations` of a sub-stream's receiver. */
  destinationOf(sub: number): number {
    return sub % this.#destinations.length
  }

  /**
   * Adds a frame to the burst.
   *
   * @returns its index, or -1 when there is no room or no memory
   */
  write(burst: Burst, sub: number, sizeIndex: number, number: number, time: number): number {
    const size = this.#sizes[sizeIndex] as number
    const index = burst.create(size)
    if (index < 0) return -1
    const at = burst.offset[index] as number
    const { view } = burst
    this.#memory ??= new Int32Array(burst.bytes.buffer, 0, burst.bytes.length >>> 2)
    const memory = this.#memory
    const words = this.#words
    // Buffers are aligned to cache lines.
    const first = at >>> 2
    for (let i = 0; i < MIN_FRAME / 4; i++) memory[first + i] = words[i] as number
    if (size > MIN_FRAME) burst.bytes.set(this.#fills[sizeIndex] as Uint8Array, at + At.fill)

    this.#setSubStream(view, at, sub)
    view.setUint16(at + At.addressSum, this.#addressSums[sub] as number)
    view.setUint16(at + At.ipLength, size - ETHERNET_BYTES)
    view.setUint16(at + At.ipChecksum, this.#ipChecksums[sizeIndex] as number)
    view.setUint16(at + At.udpLength, size - At.sourcePort)
    view.setUint32(at + At.number, number)
    view.setUint32(at + At.time, time)
    const sum =
      (this.#sizeSums[sizeIndex] as number) +
      (this.#subSums[sub] as number) +
      (number >>> 16) +
      (number & 0xffff) +
      (time >>> 16) +
      (time & 0xffff)
    const checksum = ~fold(sum) & 0xffff
    view.setUint16(at + At.udpChecksum, checksum === 0 ? 0xffff : checksum)
    return index
  }

  #prepareHeaders({ source, sourceIp, destinationIp, stream }: FrameFields): void {
    const view = this.#view
    writeMac(view, 6, source)
    view.setUint16(At.etherType, EtherType.ipv4)
    view.setUint8(At.ip, 0x45)
    view.setUint8(At.ipTtl, 64)
    view.setUint8(At.ipTtl + 1, UDP)
    view.setUint32(At.sourceIp, parseIpv4(sourceIp))
    view.setUint32(At.destinationIp, parseIpv4(destinationIp))
    view.setUint16(At.sourcePort + 2, DISCARD_PORT)
    view.setUint32(At.magic, MAGIC)
    view.setUint32(At.stream, stream)
  }

  #setSubStream(view: DataView, at: number, sub: number): void {
    const destinations = this.#destinations
    writeMac(view, at, destinations[sub % destinations.length] as number)
    view.setUint16(at + At.sourcePort, FIRST_SOURCE_PORT + Math.floor(sub / destinations.length))
    view.setUint16(at + At.flow, sub)
  }
}
