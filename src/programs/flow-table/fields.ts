/**
 * What a rule can match on and set: one table of all fields, by the names of `ovs-ofctl` (ovs-fields(7)).
 *
 * Fields lie in *slots* of at most 32 bits, which several of them share, as in OVS: `nw_src` and `arp_spa` are one
 * slot, so are `tcp_src`, `udp_src` and `icmp_type`. What a frame does not have is 0 in its slot; that is why a rule
 * on a field also has to match on the protocol that the field belongs to.
 *
 * @packageDocumentation
 */

const REGISTERS = 16
const registers = Array.from({ length: REGISTERS }, (_, i) => `reg${i}`)

/** Names of the slots; the names of variables in compiled code. A wide field has its most significant word first. */
export const SLOTS: readonly string[] = [
  'in_port',
  ...['dl_src_hi', 'dl_src', 'dl_dst_hi', 'dl_dst', 'dl_type', 'vlan_tci'],
  ...['nw_proto', 'nw_src', 'nw_dst', 'nw_tos', 'nw_ttl', 'nw_frag', 'ipv6_label'],
  ...['ipv6_src_0', 'ipv6_src_1', 'ipv6_src_2', 'ipv6_src_3'],
  ...['ipv6_dst_0', 'ipv6_dst_1', 'ipv6_dst_2', 'ipv6_dst_3'],
  ...['tp_src', 'tp_dst', 'tcp_flags'],
  ...['arp_sha_hi', 'arp_sha', 'arp_tha_hi', 'arp_tha'],
  ...['metadata_hi', 'metadata', ...registers],
]

const indices = new Map(SLOTS.map((name, i) => [name, i]))

/** Index of a slot by its name. */
export function slot(name: string): number {
  const index = indices.get(name)
  if (index === undefined) throw new RangeError(`there is no slot ${name}`)
  return index
}

/** Protocols that fields belong to, as the matches that say so: all of the terms of one of the alternatives. */
export const PROTOCOLS = {
  ip: [{ dl_type: 0x0800 }],
  ipv6: [{ dl_type: 0x86dd }],
  'ip or ipv6': [{ dl_type: 0x0800 }, { dl_type: 0x86dd }],
  arp: [{ dl_type: 0x0806 }, { dl_type: 0x8035 }],
  tcp: [
    { dl_type: 0x0800, nw_proto: 6 },
    { dl_type: 0x86dd, nw_proto: 6 },
  ],
  udp: [
    { dl_type: 0x0800, nw_proto: 17 },
    { dl_type: 0x86dd, nw_proto: 17 },
  ],
  sctp: [
    { dl_type: 0x0800, nw_proto: 132 },
    { dl_type: 0x86dd, nw_proto: 132 },
  ],
  icmp: [{ dl_type: 0x0800, nw_proto: 1 }],
  icmp6: [{ dl_type: 0x86dd, nw_proto: 58 }],
} as const satisfies Record<string, readonly Readonly<Record<string, number>>[]>

export type Protocol = keyof typeof PROTOCOLS

/** The shorthands of `ovs-ofctl` for a protocol, and what they match. */
export const KEYWORDS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  ip: { dl_type: 0x0800 },
  ipv6: { dl_type: 0x86dd },
  arp: { dl_type: 0x0806 },
  rarp: { dl_type: 0x8035 },
  mpls: { dl_type: 0x8847 },
  mplsm: { dl_type: 0x8848 },
  icmp: { dl_type: 0x0800, nw_proto: 1 },
  tcp: { dl_type: 0x0800, nw_proto: 6 },
  udp: { dl_type: 0x0800, nw_proto: 17 },
  sctp: { dl_type: 0x0800, nw_proto: 132 },
  icmp6: { dl_type: 0x86dd, nw_proto: 58 },
  tcp6: { dl_type: 0x86dd, nw_proto: 6 },
  udp6: { dl_type: 0x86dd, nw_proto: 17 },
  sctp6: { dl_type: 0x86dd, nw_proto: 132 },
}

/** How a field's values are written. */
export type Notation = 'port' | 'number' | 'mac' | 'ipv4' | 'ipv6' | 'frag' | 'flags' | 'dl_vlan'

/** A field of `ovs-ofctl`. */
export interface Field {
  readonly name: string
  readonly aliases: readonly string[]
  /** Where it lies, most significant slot first. */
  readonly slots: readonly number[]
  readonly bits: number
  /** Distance of its lowest bit from that of its slot. */
  readonly shift: number
  readonly notation: Notation
  /** Whether a match may have a mask. */
  readonly maskable: boolean
  /** Whether an action may set it. */
  readonly settable: boolean
  /** What an action that sets it needs the rule to match on. */
  readonly protocol: Protocol | undefined
}

type Extra = Partial<Omit<Field, 'name' | 'slots' | 'bits'>>

function field(names: string, slots: string, bits: number, extra: Extra = {}): Field {
  const [name = '', ...aliases] = names.split(' ')
  return {
    name,
    aliases,
    slots: slots.split(' ').map(slot),
    bits,
    shift: 0,
    notation: 'number',
    maskable: true,
    settable: true,
    protocol: undefined,
    ...extra,
  }
}

const mac = { notation: 'mac' } as const
const ipv4 = { notation: 'ipv4', protocol: 'ip' } as const
const ipv6 = { notation: 'ipv6', protocol: 'ipv6' } as const
const exact = { maskable: false } as const
const readOnly = { settable: false } as const
const wide = (name: string) => [0, 1, 2, 3].map((word) => `${name}_${word}`).join(' ')

/** All fields. */
export const FIELDS: readonly Field[] = [
  field('in_port', 'in_port', 16, { notation: 'port', ...exact, ...readOnly }),
  field('dl_src eth_src', 'dl_src_hi dl_src', 48, mac),
  field('dl_dst eth_dst', 'dl_dst_hi dl_dst', 48, mac),
  field('dl_type eth_type', 'dl_type', 16, { ...exact, ...readOnly }),

  field('vlan_tci', 'vlan_tci', 16, readOnly),
  field('dl_vlan', 'vlan_tci', 12, { notation: 'dl_vlan', ...exact, ...readOnly }),
  // With bit 12, OFPVID_PRESENT.
  field('vlan_vid', 'vlan_tci', 13),
  field('vlan_pcp dl_vlan_pcp', 'vlan_tci', 3, { shift: 13, ...exact }),

  field('arp_op', 'nw_proto', 8, { ...exact, protocol: 'arp' }),
  field('arp_spa', 'nw_src', 32, { ...ipv4, protocol: 'arp' }),
  field('arp_tpa', 'nw_dst', 32, { ...ipv4, protocol: 'arp' }),
  field('arp_sha', 'arp_sha_hi arp_sha', 48, { ...mac, protocol: 'arp' }),
  field('arp_tha', 'arp_tha_hi arp_tha', 48, { ...mac, protocol: 'arp' }),

  field('nw_src ip_src', 'nw_src', 32, ipv4),
  field('nw_dst ip_dst', 'nw_dst', 32, ipv4),
  field('ipv6_src', wide('ipv6_src'), 128, ipv6),
  field('ipv6_dst', wide('ipv6_dst'), 128, ipv6),
  field('ipv6_label', 'ipv6_label', 20, { protocol: 'ipv6' }),
  field('nw_proto ip_proto', 'nw_proto', 8, { ...exact, ...readOnly }),
  field('nw_tos', 'nw_tos', 8, { ...exact, protocol: 'ip or ipv6' }),
  field('ip_dscp', 'nw_tos', 6, { shift: 2, ...exact, protocol: 'ip or ipv6' }),
  field('nw_ecn ip_ecn', 'nw_tos', 2, { ...exact, protocol: 'ip or ipv6' }),
  field('nw_ttl', 'nw_ttl', 8, { ...exact, protocol: 'ip or ipv6' }),
  field('nw_frag ip_frag', 'nw_frag', 2, { notation: 'frag', ...exact, ...readOnly }),

  field('tcp_src tp_src', 'tp_src', 16, { protocol: 'tcp' }),
  field('tcp_dst tp_dst', 'tp_dst', 16, { protocol: 'tcp' }),
  field('tcp_flags', 'tcp_flags', 12, { notation: 'flags', ...readOnly }),
  field('udp_src', 'tp_src', 16, { protocol: 'udp' }),
  field('udp_dst', 'tp_dst', 16, { protocol: 'udp' }),
  // A CRC over the whole packet covers them: matched, but not set.
  field('sctp_src', 'tp_src', 16, readOnly),
  field('sctp_dst', 'tp_dst', 16, readOnly),
  field('icmp_type', 'tp_src', 8, { ...exact, protocol: 'icmp' }),
  field('icmp_code', 'tp_dst', 8, { ...exact, protocol: 'icmp' }),
  field('icmpv6_type', 'tp_src', 8, { ...exact, protocol: 'icmp6' }),
  field('icmpv6_code', 'tp_dst', 8, { ...exact, protocol: 'icmp6' }),

  field('metadata', 'metadata_hi metadata', 64),
  ...registers.map((name) => field(name, name, 32)),
]

const byName = new Map(FIELDS.flatMap((one) => [one.name, ...one.aliases].map((n) => [n, one])))

/** Names of all fields, aliases included. */
export const FIELD_NAMES: readonly string[] = [...byName.keys()]

/** The field of that name or alias. */
export function fieldOf(name: string): Field | undefined {
  return byName.get(name)
}

/** Protocols of which a match has to name one, for what it says of a slot to mean anything. */
const slotProtocols = new Map<number, readonly Protocol[]>(
  (
    [
      ['nw_proto', ['ip or ipv6', 'arp']],
      ['nw_src', ['ip', 'arp']],
      ['nw_dst', ['ip', 'arp']],
      ['nw_tos', ['ip or ipv6']],
      ['nw_ttl', ['ip or ipv6']],
      ['nw_frag', ['ip or ipv6']],
      ['tp_src', ['tcp', 'udp', 'sctp', 'icmp', 'icmp6']],
      ['tp_dst', ['tcp', 'udp', 'sctp', 'icmp', 'icmp6']],
      ['tcp_flags', ['tcp']],
      ...SLOTS.filter((name) => name.startsWith('arp_')).map((n) => [n, ['arp']] as const),
      ...SLOTS.filter((name) => name.startsWith('ipv6_')).map((n) => [n, ['ipv6']] as const),
    ] satisfies (readonly [string, readonly Protocol[]])[]
  ).map(([name, protocols]) => [slot(name), protocols]),
)

/** @see {@link slotProtocols} */
export function protocolsOfSlot(index: number): readonly Protocol[] {
  return slotProtocols.get(index) ?? []
}
