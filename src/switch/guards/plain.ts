/**
 * The frames that most guests send: UDP, but not to clients of DHCP, and TCP, over IP without tags, options, extension headers or
 * fragments, and with lengths that do not contradict each other. All that port security has to know of them besides is
 * their source, so few loads tell whether it is that of the frame before.
 *
 * @packageDocumentation
 */
import type { ExpectedSources } from 'dpdk-vhost/programs/program'
import { type AllowedAddresses, indexOfIpv4, indexOfIpv6, V6_WORDS } from './allowed-addresses.js'
import {
  DHCP_CLIENT,
  DHCPV6_CLIENT,
  type FrameLoops,
  type Frames,
  type PlainSource,
} from './frame-loops.js'

const SOURCE_MAC = 6
const ETHER_TYPE = 12
const IPV4_TYPE = 0x0800
const IPV6_TYPE = 0x86dd
const IPV4_SOURCE = 26
const IPV6_SOURCE = 22

/** Words of MAC address and EtherType in a source. */
const MAC_WORDS = 2
/** Address and mask. */
const V4_WORDS = 2

/** The sources that a port sent plain frames from last, one of IPv4 and one of IPv6. */
export class PlainSources {
  readonly #v4: PlainSource = new Int32Array(MAC_WORDS + V4_WORDS)
  readonly #v6: PlainSource = new Int32Array(MAC_WORDS + V6_WORDS)
  // Of the same memory, for words in network byte order.
  readonly #v4View = new DataView(this.#v4.buffer)
  readonly #v6View = new DataView(this.#v6.buffer)

  #isNew = false

  constructor() {
    // No address has that without a mask.
    this.#v4[MAC_WORDS] = this.#v6[MAC_WORDS] = 1
  }

  /** Index of the first frame from `from` on that is not a plain one from the known sources, up to `end`. */
  endOfKnown(loops: FrameLoops, from: number, end: number): number {
    for (let i = from; ; ) {
      const begun = i
      i = loops.endOfIpv4(this.#v4, i, end)
      if (i < end) i = loops.endOfIpv6(this.#v6, i, end)
      if (i === begun || i === end) return i
    }
  }

  /** Has the lcore look for these itself, if they are others than before. */
  expect(sources: ExpectedSources, port: number, tag: number): void {
    if (!this.#isNew) return
    this.#isNew = false
    sources.expect(port, tag, this.#v4, this.#v6, DHCP_CLIENT, DHCPV6_CLIENT)
  }

  /** Whether frame `index` is a plain one with a source that is listed. A source that is listed is known then. */
  learn(frames: Frames, loops: FrameLoops, index: number, addresses: AllowedAddresses): boolean {
    const { view } = frames
    const at = frames.offset[index] as number
    const type = view.getUint16(at + ETHER_TYPE)
    if (type === IPV4_TYPE)
      return (
        this.#learnIpv4(view, at, addresses) && loops.endOfIpv4(this.#v4, index, index + 1) > index
      )
    if (type === IPV6_TYPE)
      return (
        this.#learnIpv6(view, at, addresses) && loops.endOfIpv6(this.#v6, index, index + 1) > index
      )
    return false
  }

  #learnIpv4(view: DataView, at: number, addresses: AllowedAddresses): boolean {
    const station = addresses.find(view, at + SOURCE_MAC)
    if (station === undefined) return false
    const { anyIp, v4 } = station
    const pair = anyIp ? 0 : indexOfIpv4(station, view.getInt32(at + IPV4_SOURCE))
    if (pair < 0) return false
    know(this.#v4View, view, at, anyIp ? undefined : v4, pair, V4_WORDS)
    this.#isNew = true
    return true
  }

  #learnIpv6(view: DataView, at: number, addresses: AllowedAddresses): boolean {
    const station = addresses.find(view, at + SOURCE_MAC)
    if (station === undefined) return false
    const { anyIp, v6 } = station
    const prefix = anyIp ? 0 : indexOfIpv6(station, view, at + IPV6_SOURCE)
    if (prefix < 0) return false
    know(this.#v6View, view, at, anyIp ? undefined : v6, prefix, V6_WORDS)
    this.#isNew = true
    return true
  }
}

/** Makes a source of the MAC address and EtherType of the frame at `at`, and `count` words of address and mask; without any, of all. */
function know(
  source: DataView,
  view: DataView,
  at: number,
  words: Int32Array | undefined,
  from: number,
  count: number,
): void {
  source.setInt32(0, view.getInt32(at + SOURCE_MAC))
  source.setInt32(4, view.getInt32(at + SOURCE_MAC + 4))
  for (let i = 0; i < count; i++)
    source.setInt32(4 * (MAC_WORDS + i), words === undefined ? 0 : (words[from + i] as number))
}
