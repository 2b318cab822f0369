import type { Burst } from '../../burst/burst.js'
import { ABSENT } from '../../headers/absent.js'
import * as arp from '../../headers/arp.js'
import { replace16 } from '../../headers/checksum.js'
import { EtherType } from '../../headers/ethernet.js'
import { Fragment, Headers } from '../../headers/headers.js'
import * as icmp from '../../headers/icmp.js'
import * as icmpv6 from '../../headers/icmpv6.js'
import { parseIpv4, parseIpv6 } from '../../headers/ip-address.js'
import { Protocol } from '../../headers/ipv4.js'
import { copyMac, writeMac } from '../../headers/mac.js'
import { fillTransportChecksum } from '../../headers/transport-checksum.js'

/** Router clear, solicited and override set. */
const ADVERTISEMENT_FLAGS = 0x6000_0000
const IPV6_SOURCE = 8
const IPV6_DESTINATION = 24

/** Answers ARP and neighbour solicitations for its addresses, and pings to them, by turning the question round. */
export class Responder {
  readonly #mac: number
  readonly #v4: ReadonlySet<number>
  readonly #v6: readonly Uint8Array[]
  readonly #headers = new Headers()

  constructor(mac: number, addresses: readonly string[]) {
    this.#mac = mac
    this.#v4 = new Set(addresses.filter((text) => !text.includes(':')).map(parseIpv4))
    this.#v6 = addresses.filter((text) => text.includes(':')).map(parseIpv6)
  }

  /** Makes frame `index` the answer, if it asks for one. */
  answer(burst: Burst, index: number): boolean {
    const headers = this.#headers
    if (!headers.parse(burst, index) || headers.l3 === ABSENT) return false
    switch (headers.etherType) {
      case EtherType.arp:
        return this.#answerArp(burst.view, headers)
      case EtherType.ipv4:
        return this.#answerEcho4(burst.view, headers)
      case EtherType.ipv6:
        return this.#answerIpv6(burst, headers)
      default:
        return false
    }
  }

  #turn(view: DataView, { l2 }: Headers): void {
    copyMac(view, l2 + 6, l2)
    writeMac(view, l2 + 6, this.#mac)
  }

  #answerArp(view: DataView, headers: Headers): boolean {
    const at = headers.l3
    const target = arp.targetIpv4(view, at)
    if (arp.operation(view, at) !== arp.Operation.request || !this.#v4.has(target)) return false
    this.#turn(view, headers)
    const sender = arp.senderIpv4(view, at)
    arp.setOperation(view, at, arp.Operation.reply)
    arp.setTargetMac(view, at, arp.senderMac(view, at))
    arp.setTargetIpv4(view, at, sender)
    arp.setSenderMac(view, at, this.#mac)
    arp.setSenderIpv4(view, at, target)
    return true
  }

  #answerEcho4(view: DataView, headers: Headers): boolean {
    const { l3, l4 } = headers
    if (headers.protocol !== Protocol.icmp || l4 === ABSENT) return false
    if (headers.fragment !== Fragment.none) return false
    if (view.getUint16(l4) !== icmp.Type.echoRequest << 8) return false
    const target = view.getUint32(l3 + 16)
    if (!this.#v4.has(target)) return false
    this.#turn(view, headers)
    // Both addresses are under the checksum, and a sum does not mind their order.
    view.setUint32(l3 + 16, view.getUint32(l3 + 12))
    view.setUint32(l3 + 12, target)
    replace16(view, l4, icmp.Type.echoReply << 8, l4 + 2)
    return true
  }

  #answerIpv6(burst: Burst, headers: Headers): boolean {
    const { view } = burst
    const { l4 } = headers
    if (headers.protocol !== Protocol.icmpv6 || l4 === ABSENT) return false
    if (headers.fragment !== Fragment.none) return false
    const type = icmpv6.type(view, l4)
    if (type === icmpv6.Type.echoRequest) return this.#answerEcho6(burst, headers)
    if (type === icmpv6.Type.neighbourSolicitation) return this.#answerSolicitation(burst, headers)
    return false
  }

  #answerEcho6({ view, bytes }: Burst, headers: Headers): boolean {
    const own = this.#own(bytes, headers.l3 + IPV6_DESTINATION)
    if (own === undefined) return false
    this.#turn(view, headers)
    bytes.copyWithin(
      headers.l3 + IPV6_DESTINATION,
      headers.l3 + IPV6_SOURCE,
      headers.l3 + IPV6_SOURCE + 16,
    )
    bytes.set(own, headers.l3 + IPV6_SOURCE)
    replace16(view, headers.l4, icmpv6.Type.echoReply << 8, headers.l4 + 2)
    return true
  }

  #answerSolicitation({ view, bytes }: Burst, headers: Headers): boolean {
    const { l3, l4, end } = headers
    const target = icmpv6.neighbourTarget(view, l4, end)
    const option = icmpv6.option(view, l4, end, icmpv6.Option.sourceLinkLayerAddress)
    // Without that option it is a test for duplicates, which nobody here makes.
    if (target === ABSENT || option === ABSENT) return false
    const own = this.#own(bytes, target)
    if (own === undefined) return false
    this.#turn(view, headers)
    bytes.copyWithin(l3 + IPV6_DESTINATION, l3 + IPV6_SOURCE, l3 + IPV6_SOURCE + 16)
    bytes.set(own, l3 + IPV6_SOURCE)
    view.setUint8(l4, icmpv6.Type.neighbourAdvertisement)
    view.setUint32(l4 + 4, ADVERTISEMENT_FLAGS)
    view.setUint8(option, icmpv6.Option.targetLinkLayerAddress)
    writeMac(view, option + 2, this.#mac)
    return fillTransportChecksum(view, headers)
  }

  /** The address of ours that stands at `at`. */
  #own(bytes: Uint8Array, at: number): Uint8Array | undefined {
    return this.#v6.find((address) => address.every((byte, i) => byte === bytes[at + i]))
  }
}
