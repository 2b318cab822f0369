import type { Burst } from '../../burst/burst.js'
import { fold, internetSum, pseudoHeader4 } from '../../headers/checksum.js'
import { EtherType } from '../../headers/ethernet.js'
import { readMac } from '../../headers/mac.js'
import {
  At,
  addressSum,
  ETHERNET_BYTES,
  FILL,
  FILL_SUMS,
  FILL_WORDS,
  MAGIC,
  MIN_FRAME,
} from './numbered-frame.js'
import { ReceivedStream } from './received-stream.js'
import type { ReceivedReport, StreamReport } from './reports.js'

const UDP = 17

/** What {@link Receiver.take} made of a frame. */
export const Taken = {
  /** It is no numbered frame. */
  no: 0,
  /** It is of a stream that this host sends itself, come back. */
  own: 1,
  /** It is somebody else's. */
  others: 2,
  spoiled: 3,
} as const

/** Counts numbered frames. On the path of a frame it allocates nothing but the record of a new stream or flow. */
export class Receiver {
  #streams: ReceivedStream[] = []
  #last: ReceivedStream | undefined
  #corrupted = 0
  #words: Int32Array | undefined
  readonly #mac: number

  constructor(mac: number) {
    this.#mac = mac
  }

  /** Takes frame `index` if it is a numbered one; returns a value of {@link Taken}. */
  take(burst: Burst, index: number): number {
    const { view } = burst
    const start = burst.offset[index] as number
    const length = burst.length[index] as number
    if (length < MIN_FRAME) return Taken.no
    // Tags move everything behind the MAC addresses.
    let tags = 0
    let type = view.getUint16(start + At.etherType)
    while ((type === EtherType.vlan || type === EtherType.serviceVlan) && tags < 8) {
      tags += 4
      type = view.getUint16(start + At.etherType + tags)
    }
    const at = start + tags
    if (type !== EtherType.ipv4 || length - tags < MIN_FRAME) return Taken.no
    if (view.getUint32(at + At.magic) !== MAGIC) return Taken.no
    if (view.getUint8(at + At.ip) !== 0x45 || view.getUint8(at + At.ipTtl + 1) !== UDP) {
      this.#corrupted += 1
      return Taken.spoiled
    }

    const stream = this.#stream(view.getUint32(at + At.stream))
    if (stream === undefined) {
      this.#corrupted += 1
      return Taken.spoiled
    }
    if (!this.#isIntact(burst, at, length - tags)) {
      stream.corrupted += 1
      return Taken.spoiled
    }
    const age = Math.floor(burst.now * 1000) - view.getUint32(at + At.time)
    const number = view.getUint32(at + At.number)
    const foreign = (view.getUint8(start) & 1) === 0 && readMac(view, start) !== this.#mac
    // The age modulo 2 to the 32nd; it is negative when the sender's last poll is the later one.
    stream.see(burst, length, view.getUint16(at + At.flow), number, age | 0, foreign)
    if (addressSum(view, start, at + At.ip) !== view.getUint16(at + At.addressSum)) {
      stream.rewritten += 1
    }
    if (tags !== 0) stream.tagged += 1
    return stream.own ? Taken.own : Taken.others
  }

  /** The record of a stream that this host is going to send, which may come back. */
  own(id: number): ReceivedStream {
    const stream = this.#stream(id) ?? new ReceivedStream(id)
    stream.own = true
    return stream
  }

  report(): Pick<ReceivedReport, 'streams' | 'corrupted'> {
    const streams = this.#streams.filter(({ arrived }) => arrived > 0)
    return { streams: streams.map((stream) => stream.report()), corrupted: this.#corrupted }
  }

  reportOf(stream: number): StreamReport {
    const found = this.#streams.find(({ id }) => id === stream)
    return (found ?? new ReceivedStream(stream)).report()
  }

  reset(): void {
    // What is known of own streams is needed to tell them from others'.
    this.#streams = this.#streams.filter(({ own }) => own)
    for (const stream of this.#streams) stream.forget()
    this.#corrupted = 0
    this.#last = undefined
  }

  #stream(id: number): ReceivedStream | undefined {
    if (this.#last?.id === id) return this.#last
    let found = this.#streams.find((stream) => stream.id === id)
    if (found === undefined) {
      // A spoiled stream number must not make records without end.
      if (this.#streams.length === MOST_STREAMS) return undefined
      found = new ReceivedStream(id)
      this.#streams.push(found)
    }
    this.#last = found
    return found
  }

  /** Whether every byte from the IP header on is what was sent. */
  #isIntact({ view, bytes }: Burst, at: number, length: number): boolean {
    const ip = at + At.ip
    if (view.getUint16(at + At.ipLength) !== length - ETHERNET_BYTES) return false
    if (view.getUint16(at + At.udpLength) !== length - At.sourcePort) return false
    if (internetSum(view, ip, ip + 20) !== 0xffff) return false
    const fillLength = length - At.fill
    const head = internetSum(
      view,
      at + At.sourcePort,
      at + At.fill,
      pseudoHeader4(view, ip, UDP, length - At.sourcePort),
    )
    if (fold(head + (FILL_SUMS[fillLength] as number)) !== 0xffff) return false
    return this.#isFill(bytes, at + At.fill, fillLength)
  }

  #isFill(bytes: Uint8Array, at: number, length: number): boolean {
    let i = 0
    if ((at & 3) === 0) {
      this.#words ??= new Int32Array(bytes.buffer, 0, bytes.length >>> 2)
      const words = this.#words
      const first = at >>> 2
      const count = length >>> 2
      for (let word = 0; word < count; word++) {
        if (words[first + word] !== FILL_WORDS[word]) return false
      }
      i = count * 4
    }
    for (; i < length; i++) if (bytes[at + i] !== FILL[i]) return false
    return true
  }
}

const MOST_STREAMS = 4096
