/**
 * IP addresses: IPv4 as numbers of 32 bits, first octet highest; IPv6 as sixteen bytes.
 *
 * @packageDocumentation
 */
import { isIPv4, isIPv6 } from './ip-version.js'

/**
 * The IPv4 address written in `text` in dotted decimal: `10.0.0.1` is `0x0a000001`.
 *
 * @throws RangeError when it is not an address
 */
export function parseIpv4(text: string): number {
  if (!isIPv4(text)) throw new RangeError(`${JSON.stringify(text)} is not an IPv4 address`)
  return text.split('.').reduce((address, part) => address * 256 + Number(part), 0)
}

/** An IPv4 address in dotted decimal. */
export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.')
}

/**
 * The sixteen bytes of the IPv6 address written in `text`, in any form of RFC 4291, section 2.2; without a zone.
 *
 * @throws RangeError when it is not an address
 */
export function parseIpv6(text: string): Uint8Array {
  if (!isIPv6(text) || text.includes('%')) {
    throw new RangeError(`${JSON.stringify(text)} is not an IPv6 address`)
  }
  const [before = '', after] = text.split('::')
  const head = groups(before)
  const tail = after === undefined ? [] : groups(after)
  const all = [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail]
  return Uint8Array.from(all.flatMap((group) => [group >>> 8, group & 0xff]))
}

/** The 16-bit groups of a part of an address, an IPv4 address at its end included. */
function groups(part: string): number[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const address = parseIpv4(group)
    return [address >>> 16, address & 0xffff]
  })
}

/** The IPv6 address at `at` in `bytes`, as RFC 5952 recommends: lower case, the longest run of zeros cut. */
export function formatIpv6(bytes: Uint8Array, at = 0): string {
  const all = Array.from({ length: 8 }, (_, i) => {
    const high = bytes[at + 2 * i] as number
    return (high << 8) | (bytes[at + 2 * i + 1] as number)
  })
  if (all.slice(0, 5).every((group) => group === 0) && all[5] === 0xffff) {
    return `::ffff:${formatIpv4((((all[6] as number) << 16) | (all[7] as number)) >>> 0)}`
  }
  const { start, length } = longestRun(all)
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(':')
  if (length < 2) return hex(all)
  return `${hex(all.slice(0, start))}::${hex(all.slice(start + length))}`
}

function longestRun(all: number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0; start < all.length; start++) {
    let length = 0
    while (all[start + length] === 0) length++
    if (length > best.length) best = { start, length }
  }
  return best
}
