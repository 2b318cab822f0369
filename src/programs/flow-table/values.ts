/**
 * Values of fields: from what is written in a rule to bits.
 *
 * @packageDocumentation
 */
import { parseIpv4, parseIpv6 } from '../../headers/ip-address.js'
import { type Field, slot as slotIndex } from './fields.js'
import type { Term } from './match.js'

/** Something that is wrong with a rule, and what to do about it. */
export class RuleError extends Error {
  override readonly name = 'RuleError'

  constructor(
    message: string,
    readonly fix: string,
  ) {
    super(message)
  }
}

/** A field's value and the bits of it that count. */
export interface Masked {
  readonly value: bigint
  readonly mask: bigint
}

/** What a field's value may be given as; text may have a mask after a `/`. */
export type FieldValue = string | number | bigint

/** Bits of `nw_frag`. */
export const FRAGMENT = 1
export const LATER = 2

const FRAGMENTS: Readonly<Record<string, Masked>> = {
  no: { value: 0n, mask: 1n },
  yes: { value: 1n, mask: 1n },
  first: { value: 1n, mask: 3n },
  later: { value: 3n, mask: 3n },
  not_later: { value: 0n, mask: 2n },
}

const FLAGS = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr', 'ns', '[9]', '[10]', '[11]']

/** Bits of `vlan_tci`: a frame has a tag; as OVS, the slot has it where a tag has DEI. */
export const VLAN_PRESENT = 0x1000

/** `dl_vlan` of frames without a tag. */
const VLAN_NONE = 0xffff

/** All bits of a field. */
export function allBits(field: Field): bigint {
  if (field.notation === 'dl_vlan') return BigInt(VLAN_NONE)
  return (1n << BigInt(field.bits)) - 1n
}

/**
 * The value and mask that were written for a field; the value has no bits beside the mask.
 *
 * @throws {@link RuleError}
 */
export function readValue(field: Field, given: FieldValue): Masked {
  if (typeof given !== 'string') return { value: inRange(field, given), mask: allBits(field) }
  if (field.notation === 'frag') {
    const found = FRAGMENTS[given]
    if (found !== undefined) return found
    throw new RuleError('is no kind of fragment', `give ${Object.keys(FRAGMENTS).join(', ')}`)
  }
  if (field.notation === 'flags' && /^[+-]/.test(given)) return readFlags(given)
  if (field.notation === 'flags' && /^[a-z]/.test(given)) {
    const { value } = readFlags(`+${given.replaceAll('|', '+')}`)
    return { value, mask: allBits(field) }
  }
  const [text = '', maskText, ...rest] = given.split('/')
  if (maskText !== undefined && !field.maskable) {
    throw new RuleError(
      'has a mask',
      `${field.name} is matched as a whole: give ${howToWrite(field)}`,
    )
  }
  if (rest.length > 0) throw new RuleError('has two masks', 'give one value, or value/mask')
  const value = readOne(field, text)
  const mask = maskText === undefined ? allBits(field) : readMask(field, maskText)
  return { value: value & mask, mask }
}

/** A masked value as conditions on slots. */
export function toTerms(field: Field, { value, mask }: Masked): Term[] {
  if (field.notation === 'dl_vlan') return [dlVlan(Number(value))]
  const terms = field.slots.map((slot, i) => {
    const down = BigInt(32 * (field.slots.length - 1 - i))
    const word = (bits: bigint) => Number(BigInt.asIntN(32, (bits >> down) << BigInt(field.shift)))
    return { slot, value: word(value), mask: word(mask) }
  })
  return terms.map((term) => withRest(field, term)).filter((term) => term.mask !== 0)
}

/** What a condition on a part of a slot says of the other parts. */
function withRest(field: Field, term: Term): Term {
  // A frame without a tag has no priority, and the two lower bits of the ToS octet are another field.
  if (field.name === 'vlan_pcp')
    return { ...term, value: term.value | VLAN_PRESENT, mask: term.mask | VLAN_PRESENT }
  if (field.name === 'nw_tos') return { ...term, value: term.value & 0xfc, mask: term.mask & 0xfc }
  return term
}

function dlVlan(id: number): Term {
  const slot = slotIndex('vlan_tci')
  if (id === VLAN_NONE) return { slot, value: 0, mask: 0xffff }
  return { slot, value: VLAN_PRESENT | id, mask: VLAN_PRESENT | 0xfff }
}

function readOne(field: Field, text: string): bigint {
  switch (field.notation) {
    case 'mac':
      return readMac(field, text)
    case 'ipv4':
      return orRefuse(field, () => BigInt(parseIpv4(text)))
    case 'ipv6':
      return orRefuse(field, () => fromBytes(parseIpv6(text)))
    default:
      return inRange(field, readInteger(field, text))
  }
}

/** As `ovs-ofctl` takes it, which lets leading zeros of an octet be left out. */
function readMac(field: Field, text: string): bigint {
  if (!/^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}$/i.test(text)) throw refusal(field)
  return fromBytes(Uint8Array.from(text.split(':'), (octet) => Number.parseInt(octet, 16)))
}

function readMask(field: Field, text: string): bigint {
  const isAddress = field.notation === 'ipv4' || field.notation === 'ipv6'
  if (!isAddress || !/^\d+$/.test(text)) return readOne(field, text)
  const length = Number(text)
  if (length > field.bits) {
    throw new RuleError(
      `has a prefix of ${text} bits`,
      `give a length from 0 to ${field.bits}, or a mask`,
    )
  }
  return allBits(field) ^ ((1n << BigInt(field.bits - length)) - 1n)
}

/** TCP flags written as `+syn-ack`; `syn|ack` are these and no others. */
function readFlags(text: string): Masked {
  let value = 0n
  let mask = 0n
  if (!/^([+-](\w+|\[\d+\]))+$/.test(text)) {
    throw new RuleError('are no flags', 'write them like +syn-ack, or as a number')
  }
  for (const [, sign, name = ''] of text.matchAll(/([+-])(\w+|\[\d+\])/g)) {
    const bit = FLAGS.indexOf(name)
    if (bit < 0) throw new RuleError(`have ${name}`, `the flags are ${FLAGS.join(', ')}`)
    if ((mask & (1n << BigInt(bit))) !== 0n)
      throw new RuleError(`have ${name} twice`, 'name each flag once')
    mask |= 1n << BigInt(bit)
    if (sign === '+') value |= 1n << BigInt(bit)
  }
  return { value, mask }
}

function readInteger(field: Field, text: string): bigint {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) throw refusal(field)
  return BigInt(text)
}

function inRange(field: Field, given: number | bigint): bigint {
  if (typeof given === 'number' && !Number.isSafeInteger(given)) throw refusal(field)
  const value = BigInt(given)
  const none = field.notation === 'dl_vlan' && value === BigInt(VLAN_NONE)
  if (value < 0n || (value >> BigInt(field.bits) !== 0n && !none)) throw refusal(field)
  return value
}

function orRefuse(field: Field, read: () => bigint): bigint {
  try {
    return read()
  } catch {
    throw refusal(field)
  }
}

function refusal(field: Field): RuleError {
  return new RuleError(`is no value of ${field.name}`, `give ${howToWrite(field)}`)
}

/** What values of a field look like, in words. */
export function howToWrite(field: Field): string {
  const mask = field.maskable ? ', or value/mask' : ''
  switch (field.notation) {
    case 'mac':
      return `a MAC address like 02:00:00:00:00:01${mask}`
    case 'ipv4':
      return `an IPv4 address like 10.0.0.1, a prefix like 10.0.0.0/8${mask}`
    case 'ipv6':
      return `an IPv6 address like 2001:db8::1, a prefix like 2001:db8::/32${mask}`
    case 'port':
      return 'the name of a port or its id'
    case 'frag':
      return `one of ${Object.keys(FRAGMENTS).join(', ')}`
    case 'dl_vlan':
      return 'a VLAN from 0 to 4095, or 0xffff for frames without a tag'
    case 'flags':
      return 'flags like +syn-ack, a number, or number/mask'
    default:
      return `a number from 0 to ${allBits(field)}${mask}`
  }
}

function fromBytes(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
}
