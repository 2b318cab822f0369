import { SLOTS, slot } from './fields.js'
import { FRAGMENT, LATER, VLAN_PRESENT } from './values.js'

/** Offset of a header that a frame does not have. */
export const NO_HEADER = -1

/** `dl_type` of frames with a length and an LLC header in place of a type, as in OpenFlow. */
export const NOT_A_TYPE = 0x05ff

/** Most IPv6 extension headers that are looked through, so that a guest cannot make a frame expensive. */
export const MAX_EXTENSIONS = 8

const S = Object.fromEntries(SLOTS.map((name) => [name, slot(name)])) as Record<string, number>
const IN_PORT = S.in_port as number
const DL_SRC = S.dl_src_hi as number
const DL_DST = S.dl_dst_hi as number
const DL_TYPE = S.dl_type as number
const VLAN_TCI = S.vlan_tci as number
const NW_PROTO = S.nw_proto as number
const NW_SRC = S.nw_src as number
const NW_DST = S.nw_dst as number
const NW_TOS = S.nw_tos as number
const NW_TTL = S.nw_ttl as number
const NW_FRAG = S.nw_frag as number
const IPV6_LABEL = S.ipv6_label as number
const IPV6_SRC = S.ipv6_src_0 as number
const IPV6_DST = S.ipv6_dst_0 as number
const TP_SRC = S.tp_src as number
const TP_DST = S.tp_dst as number
const TCP_FLAGS = S.tcp_flags as number
const ARP_SHA = S.arp_sha_hi as number
const ARP_THA = S.arp_tha_hi as number

/**
 * All slots of a frame, and where its headers are. What OVS finds in a frame is found here, in frames with errors too:
 * one VLAN tag is looked through; an IP header that lies about its length is none; a transport header has to be there
 * up to the end of its fixed part, and what it says of itself is not looked at.
 *
 * One object serves for any number of frames. Nothing is allocated.
 */
export class FlowKey {
  /** Values of the slots, as signed 32-bit numbers. */
  readonly slots = new Int32Array(SLOTS.length)
  /** Offset of the header of IPv4, IPv6 or ARP. */
  l3 = NO_HEADER
  /** Offset of the header of TCP, UDP, SCTP, ICMP or ICMPv6. */
  l4 = NO_HEADER

  /** Takes the slots from the `length` bytes at `at`, which has to be 14 or more. */
  extract(view: DataView, at: number, length: number, inPort: number): void {
    const slots = this.slots
    slots.fill(0)
    this.l3 = NO_HEADER
    this.l4 = NO_HEADER
    slots[IN_PORT] = inPort
    this.#mac(view, at, DL_DST)
    this.#mac(view, at + 6, DL_SRC)

    const end = at + length
    let next = at + 14
    let type = view.getUint16(at + 12)
    if ((type === 0x8100 || type === 0x88a8) && end - next >= 4) {
      slots[VLAN_TCI] = view.getUint16(next) | VLAN_PRESENT
      type = view.getUint16(next + 2)
      next += 4
    }
    if (type < 0x600) {
      type = snapType(view, next, end)
      next += 8
    }
    slots[DL_TYPE] = type
    if (type === 0x0800) this.#ipv4(view, next, end)
    else if (type === 0x86dd) this.#ipv6(view, next, end)
    else if (type === 0x0806 || type === 0x8035) this.#arp(view, next, end)
  }

  #mac(view: DataView, at: number, index: number): void {
    this.slots[index] = view.getUint16(at)
    this.slots[index + 1] = view.getInt32(at + 2)
  }

  #ipv4(view: DataView, at: number, end: number): void {
    const left = end - at
    if (left < 20) return
    const header = (view.getUint8(at) & 0xf) << 2
    const total = view.getUint16(at + 2)
    if (header < 20 || header > left || total > left || header > total) return
    const slots = this.slots
    this.l3 = at
    slots[NW_TOS] = view.getUint8(at + 1)
    slots[NW_TTL] = view.getUint8(at + 8)
    slots[NW_PROTO] = view.getUint8(at + 9)
    slots[NW_SRC] = view.getInt32(at + 12)
    slots[NW_DST] = view.getInt32(at + 16)
    const fragment = view.getUint16(at + 6)
    if ((fragment & 0x3fff) !== 0) slots[NW_FRAG] = FRAGMENT
    if ((fragment & 0x1fff) !== 0) slots[NW_FRAG] = FRAGMENT | LATER
    else this.#transport(view, at + header, at + total)
  }

  #ipv6(view: DataView, at: number, end: number): void {
    if (end - at < 40) return
    const bytes = view.getUint16(at + 4)
    if (bytes > end - at - 40) return
    const slots = this.slots
    this.l3 = at
    for (let i = 0; i < 4; i++) {
      slots[IPV6_SRC + i] = view.getInt32(at + 8 + 4 * i)
      slots[IPV6_DST + i] = view.getInt32(at + 24 + 4 * i)
    }
    const next = this.#extensions(view, at, at + 40 + bytes)
    if (next < 0) return
    slots[IPV6_LABEL] = view.getInt32(at) & 0xfffff
    slots[NW_TOS] = (view.getUint16(at) >>> 4) & 0xff
    slots[NW_TTL] = view.getUint8(at + 7)
    if (((slots[NW_FRAG] as number) & LATER) === 0) this.#transport(view, next, at + 40 + bytes)
  }

  /** Steps over the extension headers (RFC 8200, 4). Returns where they end, or -1, with no protocol, if they are cut off. */
  #extensions(view: DataView, ip: number, end: number): number {
    const slots = this.slots
    let protocol = view.getUint8(ip + 6)
    let at = ip + 40
    let fragment = 0
    for (let count = 0; isExtension(protocol); count++) {
      if (end - at < 8 || count === MAX_EXTENSIONS) return -1
      const next = view.getUint8(at)
      let bytes = (view.getUint8(at + 1) + 1) << 3
      if (protocol === 51) bytes = (view.getUint8(at + 1) + 2) << 2
      if (protocol === 44) {
        const field = view.getUint16(at + 2)
        if (field !== 0) fragment = FRAGMENT
        if ((field & 0xfff8) !== 0) {
          fragment = FRAGMENT | LATER
          break
        }
        bytes = 8
      }
      if (bytes > end - at) return -1
      protocol = next
      at += bytes
    }
    slots[NW_PROTO] = protocol
    slots[NW_FRAG] = fragment
    return at
  }

  #transport(view: DataView, at: number, end: number): void {
    const slots = this.slots
    const protocol = slots[NW_PROTO] as number
    const left = end - at
    const v6 = slots[DL_TYPE] === 0x86dd
    if (protocol === 6 ? left < 20 : protocol === 132 ? left < 12 : left < 8) return
    if (protocol === 6 || protocol === 17 || protocol === 132) {
      slots[TP_SRC] = view.getUint16(at)
      slots[TP_DST] = view.getUint16(at + 2)
      if (protocol === 6) slots[TCP_FLAGS] = view.getUint16(at + 12) & 0xfff
    } else if (protocol === (v6 ? 58 : 1)) {
      slots[TP_SRC] = view.getUint8(at)
      slots[TP_DST] = view.getUint8(at + 1)
    } else return
    this.l4 = at
    if (slots[NW_FRAG] === 0) return
    // Ports of a first fragment are taken for 0, as those of later ones, which have none.
    slots[TP_SRC] = 0
    slots[TP_DST] = 0
  }

  #arp(view: DataView, at: number, end: number): void {
    if (end - at < 28) return
    if (view.getUint32(at) !== 0x0001_0800 || view.getUint16(at + 4) !== 0x0604) return
    const slots = this.slots
    this.l3 = at
    const operation = view.getUint16(at + 6)
    slots[NW_PROTO] = operation <= 0xff ? operation : 0
    slots[NW_SRC] = view.getInt32(at + 14)
    slots[NW_DST] = view.getInt32(at + 24)
    this.#mac(view, at + 8, ARP_SHA)
    this.#mac(view, at + 18, ARP_THA)
  }
}

/** Hop-by-hop options, routing, fragment, authentication, destination options. */
function isExtension(protocol: number): boolean {
  return protocol === 0 || protocol === 43 || protocol === 44 || protocol === 51 || protocol === 60
}

/** The type in a SNAP header (IEEE 802, 10), for what has a length where others have a type. */
export function snapType(view: DataView, at: number, end: number): number {
  if (end - at < 8 || view.getUint32(at) !== 0xaaaa_0300 || view.getUint16(at + 4) !== 0) {
    return NOT_A_TYPE
  }
  const type = view.getUint16(at + 6)
  return type >= 0x600 ? type : NOT_A_TYPE
}
