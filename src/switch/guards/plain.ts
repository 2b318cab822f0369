/**
 * The frames that most guests send: UDP, but not to clients of DHCP, and TCP, over IP without tags, options, extension headers or
 * fragments, and with lengths that do not contradict each other. All that port security has to know of them besides is
 * their source, so few loads tell whether it is that of the frame before.
 *
 * @packageDocumentation
 */
import { type AllowedAddresses, indexOfIpv4, indexOfIpv6, V6_WORDS } from './allowed-addresses.js'

/** What is needed of a burst. */
export interface Frames {
  readonly view: DataView
  readonly offset: Uint32Array
  readonly length: Uint32Array
}

const SOURCE_MAC = 6
const IPV4_TYPE = 0x0800
const IPV6_TYPE = 0x86dd
const IPV4_SOURCE = 26
const IPV6_SOURCE = 22

/** Places of UDP and TCP behind either header. */
const AFTER_IPV4 = 34
const AFTER_IPV6 = 54

/** Version 4 and a header of 20 bytes. */
const VERSION_AND_LENGTH = 0x45
/** In the word with them: the bits that mark a fragment, and the protocol. */
const FRAGMENT_AND_PROTOCOL = 0x3fff_00ff
const TCP = 6
const UDP = 17
const DHCP_CLIENT = 68
const DHCPV6_CLIENT = 546

/** In the words of a source: octets 0 to 3 of the MAC address, 4 and 5 with the EtherType, IP address, its mask. */
const MAC = 0
const MAC_AND_TYPE = 1
const ADDRESS = 2

/** The sources that a port sent plain frames from last, one of IPv4 and one of IPv6. */
export class PlainSources {
  readonly #v4 = new Int32Array(ADDRESS + 2)
  readonly #v6 = new Int32Array(ADDRESS + V6_WORDS)

  constructor() {
    // No address has that without a mask.
    this.#v4[ADDRESS] = this.#v6[ADDRESS] = 1
  }

  /** Index of the first frame from `from` on that is not a plain one from the known sources, up to `end`. */
  endOfKnown(frames: Frames, from: number, end: number): number {
    for (let i = from; ; ) {
      const begun = i
      i = endOfIpv4(this.#v4, frames, i, end)
      if (i < end) i = endOfIpv6(this.#v6, frames, i, end)
      if (i === begun || i === end) return i
    }
  }

  /** Whether frame `index` is a plain one with a source that is listed; then it is known. */
  learn({ view, offset, length }: Frames, index: number, addresses: AllowedAddresses): boolean {
    const at = offset[index] as number
    const bytes = length[index] as number
    if (bytes < AFTER_IPV4) return false
    const type = view.getUint16(at + 12)
    if (type === IPV4_TYPE)
      return isPlainIpv4(view, at, bytes) && this.#learnIpv4(view, at, addresses)
    if (type === IPV6_TYPE)
      return isPlainIpv6(view, at, bytes) && this.#learnIpv6(view, at, addresses)
    return false
  }

  #learnIpv4(view: DataView, at: number, addresses: AllowedAddresses): boolean {
    const station = addresses.find(view, at + SOURCE_MAC)
    if (station === undefined) return false
    const { anyIp, v4 } = station
    const pair = anyIp ? 0 : indexOfIpv4(station, view.getInt32(at + IPV4_SOURCE))
    if (pair < 0) return false
    const known = this.#v4
    known[ADDRESS] = anyIp ? 0 : (v4[pair] as number)
    known[ADDRESS + 1] = anyIp ? 0 : (v4[pair + 1] as number)
    learnMac(known, view, at)
    return true
  }

  #learnIpv6(view: DataView, at: number, addresses: AllowedAddresses): boolean {
    const station = addresses.find(view, at + SOURCE_MAC)
    if (station === undefined) return false
    const { anyIp, v6 } = station
    const prefix = anyIp ? 0 : indexOfIpv6(station, view, at + IPV6_SOURCE)
    if (prefix < 0) return false
    const known = this.#v6
    for (let i = 0; i < V6_WORDS; i++) known[ADDRESS + i] = anyIp ? 0 : (v6[prefix + i] as number)
    learnMac(known, view, at)
    return true
  }
}

function learnMac(known: Int32Array, view: DataView, at: number): void {
  known[MAC] = view.getInt32(at + SOURCE_MAC)
  known[MAC_AND_TYPE] = view.getInt32(at + SOURCE_MAC + 4)
}

function endOfIpv4(known: Int32Array, frames: Frames, from: number, end: number): number {
  const { view, offset, length } = frames
  const mac = known[MAC] as number
  const macAndType = known[MAC_AND_TYPE] as number
  const address = known[ADDRESS] as number
  const mask = known[ADDRESS + 1] as number
  for (let i = from; i < end; i++) {
    const at = offset[i] as number
    if (
      view.getInt32(at + SOURCE_MAC) !== mac ||
      view.getInt32(at + SOURCE_MAC + 4) !== macAndType ||
      (view.getInt32(at + IPV4_SOURCE) & mask) !== address ||
      !isPlainIpv4(view, at, length[i] as number)
    )
      return i
  }
  return end
}

function endOfIpv6(known: Int32Array, frames: Frames, from: number, end: number): number {
  const { view, offset, length } = frames
  const mac = known[MAC] as number
  const macAndType = known[MAC_AND_TYPE] as number
  for (let i = from; i < end; i++) {
    const at = offset[i] as number
    if (
      view.getInt32(at + SOURCE_MAC) !== mac ||
      view.getInt32(at + SOURCE_MAC + 4) !== macAndType ||
      !isIn(known, view, at, ADDRESS) ||
      !isIn(known, view, at, ADDRESS + 1) ||
      !isIn(known, view, at, ADDRESS + 2) ||
      !isIn(known, view, at, ADDRESS + 3) ||
      !isPlainIpv6(view, at, length[i] as number)
    )
      return i
  }
  return end
}

/** Whether a word of an IPv6 source is that of the known one. */
function isIn(known: Int32Array, view: DataView, at: number, word: number): boolean {
  const place = at + IPV6_SOURCE + 4 * (word - ADDRESS)
  return (view.getInt32(place) & (known[word + 4] as number)) === known[word]
}

/** Of a frame with the type of IPv4. */
function isPlainIpv4(view: DataView, at: number, bytes: number): boolean {
  const lengths = view.getInt32(at + 14)
  const payload = (lengths & 0xffff) - 20
  if (lengths >>> 24 !== VERSION_AND_LENGTH || payload > (bytes | 0) - AFTER_IPV4) return false
  const kind = view.getInt32(at + 20) & FRAGMENT_AND_PROTOCOL
  return kind === UDP
    ? isUdp(view, at + AFTER_IPV4, payload, DHCP_CLIENT)
    : kind === TCP && isTcp(view, at + AFTER_IPV4, payload)
}

/** Of a frame with the type of IPv6. */
function isPlainIpv6(view: DataView, at: number, bytes: number): boolean {
  const lengths = view.getInt32(at + 18)
  const payload = lengths >>> 16
  if (view.getUint8(at + 14) >>> 4 !== 6 || payload > (bytes | 0) - AFTER_IPV6) return false
  const kind = (lengths >>> 8) & 0xff
  return kind === UDP
    ? isUdp(view, at + AFTER_IPV6, payload, DHCPV6_CLIENT)
    : kind === TCP && isTcp(view, at + AFTER_IPV6, payload)
}

/** Whether a whole UDP header is at `at`, not to the port of clients. */
function isUdp(view: DataView, at: number, bytes: number, client: number): boolean {
  if (bytes < 8) return false
  const portAndLength = view.getInt32(at + 2)
  const length = portAndLength & 0xffff
  return portAndLength >>> 16 !== client && length >= 8 && length <= bytes
}

function isTcp(view: DataView, at: number, bytes: number): boolean {
  if (bytes < 20) return false
  const header = (view.getUint8(at + 12) >>> 4) << 2
  return header >= 20 && header <= bytes
}
