import { formatIpv4 } from '../../src/headers/ip-address.js'
import { numbers } from '../flows/flows.js'

/** 16-bit words of a 5-tuple, from the source address on: two addresses, two ports. */
export const TUPLE = 6

/** Words as they lie in frames, so with the octets of each swapped; all addresses are in 10.0.0.0/8. */
export function randomTuples(count: number): Uint16Array {
  const next = numbers()
  const words = Uint16Array.from({ length: count * TUPLE }, () => next() & 0xffff)
  for (let i = 0; i < words.length; i += TUPLE) {
    for (const at of [i, i + 2]) words[at] = ((words[at] as number) & 0xff00) | 10
  }
  return words
}

const output = (i: number) => `actions=output:${1 + (i & 1)}`

/** A rule of exactly the 5-tuple `i`. */
export function ruleOf(tuples: Uint16Array, i: number): string {
  const [source, destination] = [address(tuples, i, 0), address(tuples, i, 2)].map(formatIpv4)
  const [from, to] = [word(tuples, i, 4), word(tuples, i, 5)]
  return `udp,nw_src=${source},nw_dst=${destination},tp_src=${from},tp_dst=${to},${output(i)}`
}

/** A rule of a prefix of 16 to 32 bits of the destination of 5-tuple `i`. */
export function prefixRule(tuples: Uint16Array, i: number): string {
  const bits = 16 + (i % 17)
  const prefix = (address(tuples, i, 2) & (-1 << (32 - bits))) >>> 0
  return `priority=${bits},ip,nw_dst=${formatIpv4(prefix)}/${bits},${output(i)}`
}

function word(tuples: Uint16Array, i: number, at: number): number {
  const swapped = tuples[i * TUPLE + at] as number
  return ((swapped & 0xff) << 8) | (swapped >>> 8)
}

function address(tuples: Uint16Array, i: number, at: number): number {
  return ((word(tuples, i, at) << 16) | word(tuples, i, at + 1)) >>> 0
}
