/**
 * Whether a guest may send a frame: rules of port security, with their sources in README.md.
 *
 * @packageDocumentation
 */
import {
  arp,
  EtherType,
  Fragment,
  Headers,
  icmpv6,
  ipv4,
  ipv6,
  Protocol,
  readMac,
  udp,
} from 'dpdk-vhost/headers'
import type { Burst } from 'dpdk-vhost/programs/program'
import type { AllowedAddress } from '../spec.js'
import { AllowedAddresses, allowsIpv4, allowsIpv6, type Station } from './allowed-addresses.js'
import { DHCP_CLIENT, DHCPV6_CLIENT, type FrameLoops, type Frames } from './frame-loops.js'
import { PlainSources } from './plain.js'

/** Where the source address is in a frame. */
const SOURCE_MAC = 6

const DHCP_SERVER = 67

/** RARP has the form of ARP (RFC 903). */
const RARP_LENGTH = 28

/** LLC address of SNAP, without the bit of groups (IEEE 802, 10.3). */
const SNAP = 0xaa

/** Multicast listener messages that may come before there is an address (RFC 3590, 4). */
const MLD_REPORT = 131
const MLD_DONE = 132
const MLDV2_REPORT = 143

/** Rules of this thread so far. */
let tags = 0

/** The rules for one port. */
export class PortSecurity {
  readonly #addresses: AllowedAddresses
  readonly #headers = new Headers()
  readonly #sources = new PlainSources()
  /** Of what the lcore found by {@link expect}: that of other rules, which a port may have had before, does not count. */
  readonly tag = ++tags

  /** @throws RangeError for an address that is none */
  constructor(allowed: readonly AllowedAddress[]) {
    this.#addresses = new AllowedAddresses(allowed)
  }

  /**
   * How many frames from the first on may be sent, up to the first that may not.
   *
   * @param from - so many may, that is known
   */
  allowedFirst(frames: Frames, loops: FrameLoops, from: number, count: number): number {
    const sources = this.#sources
    for (let i = from; ; i++) {
      i = sources.endOfKnown(loops, i, count)
      if (i === count) return i
      if (!sources.learn(frames, loops, i, this.#addresses) && !this.allows(frames, i)) return i
    }
  }

  /** Has the lcore look for plain frames of the sources that were allowed last, if they changed. */
  expect({ sources, inPort }: Pick<Burst, 'sources' | 'inPort'>): void {
    this.#sources.expect(sources, inPort, this.tag)
  }

  /** Whether frame `index` may be sent by who is behind the port. */
  allows(frames: Frames, index: number): boolean {
    const { view } = frames
    const headers = this.#headers
    // What is wrong with the headers may hide what is to be checked.
    if (!headers.parse(frames, index)) return false
    const station = this.#addresses.find(view, headers.l2 + SOURCE_MAC)
    if (station === undefined) return false
    switch (headers.etherType) {
      case EtherType.ipv4:
        return mayIpv4(station, view, headers)
      case EtherType.ipv6:
        return mayIpv6(station, view, headers)
      case EtherType.arp:
        return mayArp(station, view, headers.l3)
      case EtherType.rarp:
        return mayRarp(station, view, headers)
      case EtherType.vlan:
      case EtherType.serviceVlan:
        // More tags than are looked through.
        return false
      case 0:
        return mayLlc(view, headers)
      default:
        return true
    }
  }
}

function mayIpv4(station: Station, view: DataView, headers: Headers): boolean {
  const { l3, l4 } = headers
  const hasPorts = headers.protocol === Protocol.udp && l4 >= 0
  const port = hasPorts ? udp.destinationPort(view, l4) : -1
  if (port === DHCP_CLIENT) return false
  const source = ipv4.source(view, l3)
  if (allowsIpv4(station, source)) return true
  return (
    source === 0 &&
    station.v4.length > 0 &&
    port === DHCP_SERVER &&
    udp.sourcePort(view, l4) === DHCP_CLIENT &&
    ipv4.destination(view, l3) === 0xffffffff
  )
}

function mayArp(station: Station, view: DataView, at: number): boolean {
  if (arp.senderMac(view, at) !== station.mac) return false
  const sender = arp.senderIpv4(view, at)
  if (allowsIpv4(station, sender)) return true
  // A probe (RFC 5227, 2.1.1).
  return sender === 0 && station.v4.length > 0 && arp.operation(view, at) === arp.Operation.request
}

function mayRarp(station: Station, view: DataView, { payload, end }: Headers): boolean {
  return end - payload >= RARP_LENGTH && arp.senderMac(view, payload) === station.mac
}

/** Some hosts take IP out of SNAP (CERT/CC VU#855201). */
function mayLlc(view: DataView, { payload, end }: Headers): boolean {
  return end - payload >= 3 && (view.getUint8(payload) & 0xfe) !== SNAP
}

function mayIpv6(station: Station, view: DataView, headers: Headers): boolean {
  const { l3, l4, protocol } = headers
  if (!station.anyIp && station.v6.length === 0) return false
  if (protocol === Protocol.udp && l4 >= 0 && udp.destinationPort(view, l4) === DHCPV6_CLIENT) {
    return false
  }
  const type = protocol === Protocol.icmpv6 && l4 >= 0 ? icmpv6.type(view, l4) : -1
  const isDiscovery = type >= icmpv6.Type.routerSolicitation && type <= icmpv6.Type.redirect
  if (isDiscovery && !mayDiscover(station, view, headers, type)) return false
  if (allowsIpv6(station, view, l3 + ipv6.SOURCE)) return true
  return isUnspecified(view, l3 + ipv6.SOURCE) && mayBeWithoutAddress(type)
}

/** Neighbour discovery (RFC 4861) and duplicate address detection (RFC 4862, 5.4). */
function mayDiscover(station: Station, view: DataView, headers: Headers, type: number): boolean {
  const { l3, l4, end } = headers
  if (type === icmpv6.Type.routerAdvertisement || type === icmpv6.Type.redirect) return false
  // RFC 6980, 5: it must not be fragmented, and what is cut off could not be checked.
  if (headers.fragment !== Fragment.none) return false
  if (type === icmpv6.Type.routerSolicitation) {
    return hasOnlyMac(view, l4 + icmpv6.LENGTH, end, station)
  }
  const target = icmpv6.neighbourTarget(view, l4, end)
  if (target < 0) return false
  const claims =
    type === icmpv6.Type.neighbourAdvertisement || isUnspecified(view, l3 + ipv6.SOURCE)
  if (claims && !allowsIpv6(station, view, target)) return false
  return hasOnlyMac(view, l4 + icmpv6.NEIGHBOUR_LENGTH, end, station)
}

/** Whether all link-layer addresses among the options from `at` are the station's, and all options are whole. */
function hasOnlyMac(view: DataView, at: number, end: number, station: Station): boolean {
  while (at < end) {
    if (end - at < 8) return false
    const bytes = view.getUint8(at + 1) * 8
    if (bytes === 0 || bytes > end - at) return false
    const kind = view.getUint8(at)
    const isAddress =
      kind === icmpv6.Option.sourceLinkLayerAddress || kind === icmpv6.Option.targetLinkLayerAddress
    if (isAddress && readMac(view, at + 2) !== station.mac) return false
    at += bytes
  }
  return true
}

function isUnspecified(view: DataView, at: number): boolean {
  return (
    (view.getInt32(at) | view.getInt32(at + 4) | view.getInt32(at + 8) | view.getInt32(at + 12)) ===
    0
  )
}

function mayBeWithoutAddress(type: number): boolean {
  return (
    type === icmpv6.Type.neighbourSolicitation ||
    type === icmpv6.Type.routerSolicitation ||
    type === MLD_REPORT ||
    type === MLD_DONE ||
    type === MLDV2_REPORT
  )
}
