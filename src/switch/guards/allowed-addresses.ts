/**
 * Addresses that a port may use, compiled for looking up.
 *
 * @packageDocumentation
 */
import { parseIpv4, parseIpv6, parseMac, readMac } from 'dpdk-vhost/headers'
import type { AllowedAddress } from '../spec.js'

/** Words of an IPv6 prefix: address, then mask. */
export const V6_WORDS = 8

/** One MAC address and the IP addresses that go with it. */
export interface Station {
  readonly mac: number
  /** No IP address was listed with it, so any will do. */
  readonly anyIp: boolean
  /** Pairs of address and mask. */
  readonly v4: Int32Array
  /** Four words of address and four of mask each; the link-local address made of the MAC is one of them. */
  readonly v6: Int32Array
}

/** The stations of a port by MAC address: a hash table with open addressing, at most half full. */
export class AllowedAddresses {
  readonly #macs: Float64Array
  readonly #stations: (Station | undefined)[]
  readonly #mask: number

  /** @throws RangeError for an address that is none */
  constructor(allowed: readonly AllowedAddress[]) {
    const ips = new Map<number, string[] | undefined>()
    for (const entry of allowed) {
      const mac = parseMac(entry.mac)
      const before = ips.get(mac)
      const any = entry.ips.length === 0 || (ips.has(mac) && before === undefined)
      ips.set(mac, any ? undefined : [...(before ?? []), ...entry.ips])
    }
    const slots = 2 ** Math.ceil(Math.log2(2 * ips.size + 2))
    this.#mask = slots - 1
    this.#macs = new Float64Array(slots).fill(-1)
    this.#stations = Array.from({ length: slots }, () => undefined)
    for (const [mac, texts] of ips) {
      let slot = this.#slot(mac)
      while (this.#macs[slot] !== -1) slot = (slot + 1) & this.#mask
      this.#macs[slot] = mac
      this.#stations[slot] = station(mac, texts)
    }
  }

  /** The station whose MAC address is at `at`; by its place, as numbers of 48 bits are objects when they are passed on. */
  find(view: DataView, at: number): Station | undefined {
    const mac = readMac(view, at)
    const macs = this.#macs
    let slot = this.#slot(mac)
    while (macs[slot] !== mac) {
      if (macs[slot] === -1) return undefined
      slot = (slot + 1) & this.#mask
    }
    return this.#stations[slot]
  }

  #slot(mac: number): number {
    return (Math.imul(mac | 0, 0x9e3779b1) >>> 15) & this.#mask
  }
}

/** Whether a station may use an IPv4 address. */
export function allowsIpv4(station: Station, address: number): boolean {
  return station.anyIp || indexOfIpv4(station, address) >= 0
}

/** Index of the first pair of address and mask that has an IPv4 address, or -1. */
export function indexOfIpv4({ v4 }: Station, address: number): number {
  for (let i = 0; i < v4.length; i += 2) {
    if ((address & (v4[i + 1] as number)) === v4[i]) return i
  }
  return -1
}

/** Whether a station may use the IPv6 address at `at`. */
export function allowsIpv6(station: Station, view: DataView, at: number): boolean {
  return station.anyIp || indexOfIpv6(station, view, at) >= 0
}

/** Index of the first prefix that has the IPv6 address at `at`, or -1. */
export function indexOfIpv6({ v6 }: Station, view: DataView, at: number): number {
  for (let i = 0; i < v6.length; i += V6_WORDS) if (isInPrefix(v6, i, view, at)) return i
  return -1
}

function isInPrefix(v6: Int32Array, prefix: number, view: DataView, at: number): boolean {
  for (let word = prefix; word < prefix + 4; word++, at += 4) {
    if ((view.getInt32(at) & (v6[word + 4] as number)) !== v6[word]) return false
  }
  return true
}

function station(mac: number, texts: readonly string[] | undefined): Station {
  const prefixes = (texts ?? []).map(parsePrefix)
  const v4 = prefixes.filter(({ words }) => words.length === 1)
  const v6 = prefixes.filter(({ words }) => words.length === 4)
  if (v6.length > 0) v6.push({ words: linkLocalWords(mac), length: 128 })
  const compiled = (list: Prefix[]) =>
    Int32Array.from(
      list.flatMap(({ words, length }) => [...words, ...maskOf(words.length, length)]),
    )
  return { mac, anyIp: texts === undefined, v4: compiled(v4), v6: compiled(v6) }
}

interface Prefix {
  /** The address in words of 32 bits. */
  words: number[]
  /** Bits. */
  length: number
}

function parsePrefix(text: string): Prefix {
  // Loaded when there is one: it takes the start of a thread 3 ms.
  const { isIPv4, isIPv6 } = process.getBuiltinModule('node:net')
  const [address = '', bits, ...more] = text.split('/')
  const most = isIPv4(address) ? 32 : 128
  const length = bits === undefined ? most : Number(bits)
  const isLength = bits === undefined || (/^\d{1,3}$/.test(bits) && length <= most)
  if (!(isIPv4(address) || isIPv6(address)) || !isLength || more.length > 0) {
    throw new RangeError(
      `${JSON.stringify(text)} is not an IP address or prefix like 10.0.0.1, 10.0.0.0/24 or 2001:db8::/64`,
    )
  }
  const words = most === 32 ? [parseIpv4(address) | 0] : wordsOf(parseIpv6(address))
  const mask = maskOf(words.length, length)
  const isNetwork = words.every((word, i) => (word & ~(mask[i] as number)) === 0)
  // As OVN has it: with bits set behind the prefix it is an address, written with the size of its network.
  return { words, length: isNetwork ? length : most }
}

function wordsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return [0, 4, 8, 12].map((at) => view.getInt32(at))
}

function maskOf(words: number, length: number): number[] {
  return Array.from({ length: words }, (_, i) => {
    const bits = Math.min(32, Math.max(0, length - 32 * i))
    return bits === 0 ? 0 : -1 << (32 - bits)
  })
}

/** fe80::/64 with the modified EUI-64 of the MAC address (RFC 4291, 2.5.1 and appendix A). */
function linkLocalWords(mac: number): number[] {
  const high = Math.floor(mac / 2 ** 24)
  const low = mac % 2 ** 24
  const flipped = high ^ 0x020000
  return [0xfe80_0000 | 0, 0, (flipped << 8) | 0xff, 0xfe00_0000 | low | 0]
}
