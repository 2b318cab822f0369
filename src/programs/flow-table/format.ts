/**
 * Rules as text, in the words of `ovs-ofctl`: what `parse.ts` reads.
 *
 * @packageDocumentation
 */
import { formatIpv4, formatIpv6 } from '../../headers/ip-address.js'
import { formatMac } from '../../headers/mac.js'
import type { Action } from './actions.js'
import { prefixBits } from './compiler/prefix-table.js'
import { type Field, fieldOf, KEYWORDS, SLOTS, slot } from './fields.js'
import type { Match, Term } from './match.js'
import type { FlowSpec } from './rule.js'
import { allBits } from './values.js'

const FRAGMENTS: Readonly<Record<string, string>> = {
  '0/1': 'no',
  '1/1': 'yes',
  '1/3': 'first',
  '3/3': 'later',
  '0/2': 'not_later',
}

/** What a rule matches on: `tcp,nw_src=10.0.0.0/8,tp_dst=80`. */
export function formatMatch({ inPort, match }: Pick<FlowSpec, 'inPort' | 'match'>): string {
  const keyword = keywordOf(match)
  const known = KEYWORDS[keyword ?? ''] ?? {}
  const parts: string[] = []
  if (inPort !== undefined) parts.push(`in_port=${inPort}`)
  if (keyword !== undefined) parts.push(keyword)
  for (const { slot: index, value, mask } of match.terms) {
    const name = SLOTS[index] as string
    if (name === 'in_port' || name in known) continue
    if (name === 'nw_tos') {
      if ((mask & 0xfc) !== 0) parts.push(`nw_tos=${value & 0xfc}`)
      if ((mask & 3) !== 0) parts.push(`nw_ecn=${value & 3}`)
    } else if (name === 'nw_frag') {
      parts.push(`nw_frag=${FRAGMENTS[`${value}/${mask}`] ?? 'no'}`)
    } else {
      const field = fieldOf(fieldName(name, match, keyword)) as Field
      // A field of several slots is written once, at the first of them that is asked about.
      if (field.slots.find((one) => match.term(one) !== undefined) !== index) continue
      const terms = field.slots.flatMap((one) => match.term(one) ?? [])
      parts.push(`${field.name}=${formatValue(field, bitsOf(field, terms))}`)
    }
  }
  return parts.join(',')
}

/** What a rule does: `dec_ttl,output:vhost1`. */
export function formatActions(actions: readonly Action[]): string {
  return actions.map(formatAction).join(',') || 'drop'
}

/** The shorthand that says most of what a rule matches. */
function keywordOf(match: Match): string | undefined {
  const type = match.term(slot('dl_type'))?.value
  const protocol = match.term(slot('nw_proto'))?.value
  const fitting = Object.entries(KEYWORDS).filter(
    ([, terms]) => terms.dl_type === type && (terms.nw_proto ?? protocol) === protocol,
  )
  return (fitting.find(([, terms]) => terms.nw_proto !== undefined) ?? fitting[0])?.[0]
}

/** The field of the rule's protocol, where several share a slot. */
function fieldName(slotName: string, match: Match, keyword = ''): string {
  const name = slotName.replace(/_(hi|\d)$/, '')
  const source = name.endsWith('_src')
  if (match.isOf('arp')) {
    if (name === 'nw_proto') return 'arp_op'
    if (name.startsWith('nw_')) return source ? 'arp_spa' : 'arp_tpa'
  }
  if (!name.startsWith('tp_')) return name
  const term = match.term(slot(name))
  const isByte = term !== undefined && term.mask === -1 && term.value <= 0xff
  if (keyword.startsWith('icmp') && isByte)
    return `${keyword === 'icmp' ? 'icmp' : 'icmpv6'}_${source ? 'type' : 'code'}`
  const [protocol = 'tcp'] = /^(tcp|udp|sctp)/.exec(keyword) ?? []
  return `${protocol}_${source ? 'src' : 'dst'}`
}

interface Bits {
  readonly value: bigint
  readonly mask: bigint
}

/** Value and mask of a field, out of its slots. */
function bitsOf(field: Field, terms: readonly Term[]): Bits {
  const sum = (part: (term: Term) => number) =>
    terms.reduce((total, term) => {
      const word = field.slots.length - 1 - field.slots.indexOf(term.slot)
      return total | (BigInt.asUintN(32, BigInt(part(term))) << BigInt(32 * word))
    }, 0n) >> BigInt(field.shift)
  return { value: sum((term) => term.value), mask: sum((term) => term.mask) & allBits(field) }
}

function formatValue(field: Field, { value, mask }: Bits): string {
  const isWhole = mask === allBits(field)
  if (isWhole) return formatOne(field, value)
  if (field.notation === 'ipv4') {
    const bits = prefixBits(Number(BigInt.asIntN(32, mask)))
    if (bits >= 0) return `${formatOne(field, value)}/${bits}`
  }
  return `${formatOne(field, value)}/${formatOne(field, mask)}`
}

function formatOne({ notation, bits }: Field, value: bigint): string {
  if (notation === 'mac') return formatMac(Number(value))
  if (notation === 'ipv4') return formatIpv4(Number(value))
  if (notation === 'ipv6') return formatIpv6(toBytes(value))
  return bits <= 8 || notation === 'number' ? `${value}` : `0x${value.toString(16)}`
}

function toBytes(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, i) => Number((value >> BigInt(120 - 8 * i)) & 0xffn))
}

function formatAction(action: Action): string {
  switch (action.type) {
    case 'output':
      return `output:${action.port}`
    case 'controller':
      return `controller:${action.maxLength}`
    case 'push_vlan':
      return `push_vlan:0x${action.tpid.toString(16)}`
    case 'set_vlan':
      return action.mask === 0xfff
        ? `mod_vlan_vid:${action.value}`
        : `mod_vlan_pcp:${action.value >> 13}`
    case 'meter':
      return `meter:${action.id}`
    case 'goto_table':
      return `goto_table:${action.table}`
    case 'set':
      return formatSet(action)
    default:
      return action.type
  }
}

function formatSet({ field, terms, sure }: Action & { type: 'set' }): string {
  const { value, mask } = bitsOf(field, terms)
  if (!sure) return `mod_${field.name.replace('tcp', 'tp')}:${formatOne(field, value)}`
  const settable =
    field.name === 'vlan_vid' ? 0xfffn : field.name === 'nw_tos' ? 0xfcn : allBits(field)
  if (mask === settable) return `set_field:${formatOne(field, value)}->${field.name}`
  if (field.maskable) {
    return `set_field:${formatOne(field, value)}/${formatOne(field, mask)}->${field.name}`
  }
  // Of other fields only load sets a part, which is in one piece.
  const first = mask.toString(2).length - mask.toString(2).lastIndexOf('1') - 1
  const last = mask.toString(2).length - 1
  return `load:${value >> BigInt(first)}->${field.name}[${first}..${last}]`
}
