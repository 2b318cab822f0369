import { ABSENT } from './absent.js'
import { EtherType, MIN_TYPE } from './ethernet.js'
import { Protocol } from './ipv4.js'
import { Extension } from './ipv6.js'

/** What {@link Headers.error} says. */
export const HeaderError = {
  none: 0,
  /** The frame ends before a header or the length that a header gives. */
  truncated: 1,
  /** The version of the IP header is not that of the EtherType. */
  version: 2,
  /** A header's length field is below the least its header has, or says more than the header around it. */
  length: 3,
  /** More than {@link MAX_EXTENSIONS} IPv6 extension headers. */
  extensions: 4,
  /** ARP for something other than Ethernet and IPv4. */
  arp: 5,
} as const

/** What {@link Headers.fragment} says. */
export const Fragment = {
  /** A whole datagram. */
  none: 0,
  /** The first fragment: it has a transport header, but not all of what its checksum covers. */
  first: 1,
  /** A later fragment: it has no transport header. */
  later: 2,
} as const

/** Most VLAN tags that are looked through; with more, the last tag seen stays the type of the frame. */
export const MAX_TAGS = 2

/** Most IPv6 extension headers that are looked through, so that a guest cannot make a frame expensive. */
export const MAX_EXTENSIONS = 8

/** What {@link Headers.parse} needs of a burst. */
export interface Frames {
  readonly view: DataView
  readonly offset: Uint32Array
  readonly length: Uint32Array
}

/**
 * Where the headers of a frame are. One object serves for any number of frames: `parse` overwrites its fields and
 * allocates nothing.
 *
 * Whatever a frame holds, an offset here that is not {@link ABSENT} (negative) is that of a header which lies within
 * the frame completely, options included, and the accessors of its protocol read nothing but this frame with it.
 *
 * ```ts
 * const headers = new Headers()
 * for (let i = 0; i < burst.count; i++) {
 *   if (headers.parse(burst, i) && headers.protocol === Protocol.udp && headers.l4 >= 0) {
 *     if (udp.destinationPort(burst.view, headers.l4) === 53) burst.outPort[i] = resolver
 *   }
 * }
 * ```
 */
export class Headers {
  /** Offset of the Ethernet header. */
  l2 = ABSENT
  /** Offset of the IPv4, IPv6 or ARP header. */
  l3 = ABSENT
  /** Offset of the TCP, UDP, SCTP, ICMP or ICMPv6 header. */
  l4 = ABSENT
  /** Offset of what follows the last header that was found, up to {@link end}. */
  payload = ABSENT
  /** Offset of the end: of the IP datagram where there is one, without the padding after it, else of the frame. */
  end = 0
  /** Type after the VLAN tags; 0 when the frame has a length field in that place (IEEE 802.3 with LLC). */
  etherType = 0
  /** VLAN tags, 0 to {@link MAX_TAGS}; they start at `l2 + 12`. */
  tags = 0
  /** Tag control information of the outer tag, 0 without tags. */
  tci = 0
  /** Protocol of the payload of IPv4, or of IPv6 after its extension headers; -1 without an IP header. */
  protocol = -1
  /** Whether the frame carries a fragment: see {@link Fragment}. */
  fragment = 0
  /** What ended the parsing, or 0: see {@link HeaderError}. */
  error = 0

  /**
   * Finds the headers of frame `index`.
   *
   * @returns whether nothing was wrong with them. Frames of other protocols are right too: look at the offsets
   */
  parse(frames: Frames, index: number): boolean {
    return this.parseAt(frames.view, frames.offset[index] as number, frames.length[index] as number)
  }

  /** The same for `length` bytes at `start`. */
  parseAt(view: DataView, start: number, length: number): boolean {
    this.l2 = ABSENT
    this.l3 = ABSENT
    this.l4 = ABSENT
    this.payload = ABSENT
    this.tags = 0
    this.tci = 0
    this.etherType = 0
    this.protocol = -1
    this.fragment = Fragment.none
    this.error = HeaderError.none
    this.end = start + length
    if (length < 14) return this.#fail(HeaderError.truncated)

    this.l2 = start
    let at = start + 14
    let type = view.getUint16(start + 12)
    while ((type === EtherType.vlan || type === EtherType.serviceVlan) && this.tags < MAX_TAGS) {
      if (this.end - at < 4) return this.#fail(HeaderError.truncated)
      if (this.tags === 0) this.tci = view.getUint16(at)
      type = view.getUint16(at + 2)
      this.tags++
      at += 4
    }
    this.etherType = type < MIN_TYPE ? 0 : type
    this.payload = at
    if (type === EtherType.ipv4) return this.#ipv4(view, at)
    if (type === EtherType.ipv6) return this.#ipv6(view, at)
    if (type === EtherType.arp) return this.#arp(view, at)
    return true
  }

  #fail(error: number): boolean {
    this.error = error
    return false
  }

  #arp(view: DataView, at: number): boolean {
    if (this.end - at < 28) return this.#fail(HeaderError.truncated)
    if (view.getUint32(at) !== 0x0001_0800 || view.getUint16(at + 4) !== 0x0604) {
      return this.#fail(HeaderError.arp)
    }
    this.l3 = at
    this.payload = at + 28
    return true
  }

  #ipv4(view: DataView, at: number): boolean {
    const left = this.end - at
    if (left < 20) return this.#fail(HeaderError.truncated)
    const first = view.getUint8(at)
    if (first >>> 4 !== 4) return this.#fail(HeaderError.version)
    const header = (first & 0xf) << 2
    if (header < 20) return this.#fail(HeaderError.length)
    if (header > left) return this.#fail(HeaderError.truncated)
    this.l3 = at
    this.protocol = view.getUint8(at + 9)
    this.payload = at + header

    const total = view.getUint16(at + 2)
    if (total < header) return this.#fail(HeaderError.length)
    if (total > left) return this.#fail(HeaderError.truncated)
    this.end = at + total

    const flags = view.getUint16(at + 6) & 0x3fff
    if (flags !== 0) this.fragment = (flags & 0x1fff) === 0 ? Fragment.first : Fragment.later
    return this.#transport(view, at + header)
  }

  #ipv6(view: DataView, at: number): boolean {
    const left = this.end - at
    if (left < 40) return this.#fail(HeaderError.truncated)
    if (view.getUint8(at) >>> 4 !== 6) return this.#fail(HeaderError.version)
    this.l3 = at
    this.protocol = view.getUint8(at + 6)
    this.payload = at + 40
    const bytes = view.getUint16(at + 4)
    if (bytes > left - 40) return this.#fail(HeaderError.truncated)
    this.end = at + 40 + bytes
    if (!this.#extensions(view)) return false
    return this.#transport(view, this.payload)
  }

  /** Steps over the extension headers (RFC 8200, 4), moving `payload` and `protocol`. */
  #extensions(view: DataView): boolean {
    for (let count = 0; count <= MAX_EXTENSIONS; count++) {
      const at = this.payload
      let bytes = 8
      switch (this.protocol) {
        case Extension.hopByHop:
        case Extension.routing:
        case Extension.destination:
        case Extension.mobility:
        case Extension.hip:
        case Extension.shim6:
          if (this.end - at < 8) return this.#fail(HeaderError.truncated)
          bytes = (view.getUint8(at + 1) + 1) << 3
          break
        case Extension.authentication:
          // In words of four bytes, and less two of them (RFC 4302, 2.2).
          if (this.end - at < 8) return this.#fail(HeaderError.truncated)
          bytes = (view.getUint8(at + 1) + 2) << 2
          break
        case Extension.fragment: {
          if (this.end - at < 8) return this.#fail(HeaderError.truncated)
          const field = view.getUint16(at + 2)
          if ((field & 0xfff8) !== 0) this.fragment = Fragment.later
          // An offset of 0 and no more to come is a whole datagram (RFC 6946).
          else if ((field & 1) !== 0) this.fragment = Fragment.first
          break
        }
        default:
          return true
      }
      if (count === MAX_EXTENSIONS) break
      if (bytes > this.end - at) return this.#fail(HeaderError.truncated)
      this.protocol = view.getUint8(at)
      this.payload = at + bytes
      // What follows is the middle of some header or of the data.
      if (this.fragment === Fragment.later) return true
    }
    return this.#fail(HeaderError.extensions)
  }

  #transport(view: DataView, at: number): boolean {
    if (this.fragment === Fragment.later) return true
    const left = this.end - at
    let header = 8
    switch (this.protocol) {
      case Protocol.tcp:
        if (left < 20) return this.#fail(HeaderError.truncated)
        header = (view.getUint8(at + 12) >>> 4) << 2
        if (header < 20) return this.#fail(HeaderError.length)
        break
      case Protocol.udp: {
        if (left < 8) return this.#fail(HeaderError.truncated)
        const bytes = view.getUint16(at + 4)
        if (bytes < 8) return this.#fail(HeaderError.length)
        // The data of a first fragment go on in the next.
        if (bytes > left && this.fragment === Fragment.none) return this.#fail(HeaderError.length)
        break
      }
      case Protocol.sctp:
        header = 12
        break
      case Protocol.icmp:
      case Protocol.icmpv6:
        break
      default:
        return true
    }
    if (header > left) return this.#fail(HeaderError.truncated)
    this.l4 = at
    this.payload = at + header
    return true
  }
}
