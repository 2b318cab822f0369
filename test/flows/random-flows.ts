import {
  buildArpReply,
  buildArpRequest,
  buildEcho,
  buildEthernet,
  buildIp,
  buildTcp,
  buildUdp,
} from '../../src/headers/build.js'
import type { Random } from '../headers/random.js'

/** Few values of everything, so that rules and frames often meet. */
const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:01:02', 'ff:ff:ff:ff:ff:ff']
const IPV4 = ['10.0.0.1', '10.0.0.2', '10.0.1.1', '10.1.0.1', '192.168.0.1', '224.0.0.5']
const IPV6 = ['2001:db8::1', '2001:db8::2', '2001:db8:1::1', 'fe80::1']
const PORTS = [22, 53, 80, 81, 443, 4433]
const VLANS = [0, 1, 5, 6, 4095]
const TTLS = [0, 1, 2, 64]
export const PORT_COUNT = 5

/** Which parts of rules to make. */
export type Kind = 'anything' | 'tuples' | 'prefixes'

/** A rule in the syntax of `ovs-ofctl`. */
export function randomRule(random: Random, kind: Kind): string {
  const table = kind === 'anything' ? random.pick([0, 0, 0, 1, 2]) : random.pick([0, 0, 0, 0, 1])
  const parts = [`table=${table}`, `priority=${random.below(6) * 10}`]
  const match = random.below(10) === 0 ? anything(random) : byKind(random, kind)
  return `${[...parts, ...match.fields].join(',')},actions=${actions(random, table, match.protocol)}`
}

interface Matched {
  fields: string[]
  protocol: string
}

function byKind(random: Random, kind: Kind): Matched {
  if (kind === 'anything') return anything(random)
  if (kind === 'prefixes') {
    const bits = random.between(1, 32)
    const octets = [10, random.below(3), random.below(3), random.below(256)]
    return { fields: ['ip', `nw_dst=${octets.join('.')}/${bits}`], protocol: 'ip' }
  }
  const protocol = random.pick(['tcp', 'udp'])
  const fields = [
    protocol,
    `nw_src=${random.pick(IPV4)}`,
    `nw_dst=${random.pick(IPV4)}`,
    `tp_src=${random.pick(PORTS)}`,
    `tp_dst=${random.pick(PORTS)}`,
  ]
  return { fields, protocol }
}

const some = (random: Random, most: number, make: (() => string)[]): string[] =>
  Array.from({ length: random.below(most + 1) }, () => random.pick(make)())

function mac(random: Random): string {
  const address = random.pick(MACS)
  return random.pick([
    address,
    address,
    `${address}/01:00:00:00:00:00`,
    `${address}/ff:00:00:00:ff:00`,
  ])
}

function ipv4(random: Random): string {
  const address = random.pick(IPV4)
  return random.pick([address, `${address}/${random.between(0, 32)}`, `${address}/255.0.0.255`])
}

function ipv6(random: Random): string {
  const address = random.pick(IPV6)
  return random.pick([address, `${address}/${random.between(0, 128)}`, `${address}/ffff::ffff`])
}

function port(random: Random): string {
  return random.pick([
    `${random.pick(PORTS)}`,
    `${random.pick(PORTS)}/0x${random.pick(['fff0', 'fffe', '1', 'ff'])}`,
  ])
}

function anything(random: Random): Matched {
  const l2 = () =>
    some(random, 2, [
      () => `in_port=${random.below(PORT_COUNT)}`,
      () => `dl_src=${mac(random)}`,
      () => `dl_dst=${mac(random)}`,
      () => `dl_vlan=${random.pick(VLANS)}`,
      () => 'dl_vlan=0xffff',
      () => `dl_vlan_pcp=${random.below(8)}`,
      () => 'vlan_tci=0x1000/0x1000',
      () => `vlan_vid=0x100${random.below(8)}/0x100${random.below(8)}`,
      () => `reg0=${random.below(4)}/${random.pick(['0x1', '0x3', '0xffffffff'])}`,
      () => `reg3=${random.below(3)}`,
      () => `metadata=${random.below(3)}`,
    ])
  const protocol = random.pick([
    '',
    '',
    'ip',
    'tcp',
    'udp',
    'icmp',
    'arp',
    'ipv6',
    'tcp6',
    'udp6',
    'icmp6',
    'type',
  ])
  const ip = [
    () => `nw_tos=${random.pick([0, 32, 184])}`,
    () => `nw_ecn=${random.below(4)}`,
    () => `nw_ttl=${random.pick(TTLS)}`,
    () => `nw_frag=${random.pick(['no', 'yes', 'first', 'later', 'not_later'])}`,
  ]
  const v4 = [() => `nw_src=${ipv4(random)}`, () => `nw_dst=${ipv4(random)}`]
  const v6 = [
    () => `ipv6_src=${ipv6(random)}`,
    () => `ipv6_dst=${ipv6(random)}`,
    () => `ipv6_label=${random.below(3)}/0x${random.pick(['fffff', '1'])}`,
  ]
  const ports = [() => `tp_src=${port(random)}`, () => `tp_dst=${port(random)}`]
  const icmp = (name: string) => [
    () => `${name}_type=${random.pick([0, 8, 128, 129])}`,
    () => `${name}_code=${random.below(2)}`,
  ]
  const flags = [() => `tcp_flags=${random.pick(['+syn', '-ack', '+syn-ack', '0x10'])}`]
  const more: Record<string, (() => string)[]> = {
    ip: [...ip, ...v4, () => `nw_proto=${random.pick([1, 6, 17, 47])}`],
    tcp: [...ip, ...v4, ...ports, ...flags],
    udp: [...ip, ...v4, ...ports],
    icmp: [...ip, ...v4, ...icmp('icmp')],
    ipv6: [...ip, ...v6, () => `nw_proto=${random.pick([6, 17, 44, 58])}`],
    tcp6: [...ip, ...v6, ...ports, ...flags],
    udp6: [...ip, ...v6, ...ports],
    icmp6: [...ip, ...v6, ...icmp('icmpv6')],
    arp: [
      () => `arp_op=${random.between(1, 2)}`,
      () => `arp_spa=${ipv4(random)}`,
      () => `arp_tpa=${ipv4(random)}`,
      () => `arp_sha=${mac(random)}`,
      () => `arp_tha=${mac(random)}`,
    ],
  }
  const named =
    protocol === 'type' ? `dl_type=0x${random.pick(['88b5', '5ff', '8100', '800'])}` : protocol
  return {
    fields: [
      ...l2(),
      ...(named === '' ? [] : [named]),
      ...some(random, 3, more[protocol] ?? [() => 'reg1=0']),
    ],
    protocol,
  }
}

function actions(random: Random, table: number, protocol: string): string {
  const to = () => random.below(PORT_COUNT + 1)
  const l4 = /^(tcp|udp)/.exec(protocol)?.[0]
  const isIp = /^(ip|tcp|udp|icmp)/.test(protocol)
  const isV6 = protocol.endsWith('6')
  const choices: (() => string)[] = [
    ...Array.from({ length: 6 }, () => () => `output:${to()}`),
    () => 'flood',
    () => 'in_port',
    () => 'normal',
    () => 'controller',
    () => `controller:${random.below(100)}`,
    () => `mod_dl_src:${random.pick(MACS)}`,
    () => `set_field:${random.pick(MACS)}/ff:00:ff:00:ff:00->dl_dst`,
    () => `push_vlan:${random.pick(['0x8100', '0x88a8'])}`,
    () =>
      `push_vlan:0x8100,set_field:${random.pick(VLANS)}->vlan_vid,set_field:${random.below(8)}->vlan_pcp`,
    () => 'pop_vlan',
    () => `mod_vlan_vid:${random.pick(VLANS)}`,
    () => `mod_vlan_pcp:${random.below(8)}`,
    () => `mod_nw_src:${random.pick(IPV4)}`,
    () => `mod_nw_dst:${random.pick(IPV4)}`,
    () => `mod_nw_tos:${random.pick([0, 32, 184])}`,
    () => `mod_tp_src:${random.pick(PORTS)}`,
    () => `mod_tp_dst:${random.pick(PORTS)}`,
    () => 'dec_ttl',
    () => `load:${random.below(4)}->reg0[0..1]`,
    () => `set_field:${random.below(3)}->reg3`,
    () => `set_field:${random.below(3)}->metadata`,
  ]
  if (isIp)
    choices.push(
      () => `set_field:${random.pick(TTLS)}->nw_ttl`,
      () => `set_field:${random.below(4)}->nw_ecn`,
    )
  if (isIp && !isV6) choices.push(() => `set_field:10.9.9.9/255.0.0.255->nw_dst`)
  if (isV6) {
    choices.push(() => `set_field:${random.pick(IPV6)}->ipv6_src`)
    choices.push(
      () => `set_field:2001:db8::9/ffff::ffff->ipv6_dst`,
      () => 'set_field:7->ipv6_label',
    )
  }
  if (l4) choices.push(() => `set_field:${random.pick(PORTS)}/0xff->${l4}_dst`)
  if (protocol === 'icmp') choices.push(() => `set_field:${random.below(9)}->icmp_type`)
  if (protocol === 'icmp6') choices.push(() => 'set_field:1->icmpv6_code')
  if (protocol === 'arp') {
    choices.push(
      () => 'set_field:2->arp_op',
      () => `set_field:${random.pick(IPV4)}->arp_spa`,
    )
    choices.push(
      () => `set_field:${random.pick(MACS)}->arp_tha`,
      () => `set_field:${random.pick(MACS)}->arp_sha`,
    )
  }
  const list = some(random, 4, choices)
  if (random.below(12) === 0) list.unshift(`meter:${random.between(1, 2)}`)
  if (table < 3 && random.below(4) === 0) list.push(`goto_table:${random.between(table + 1, 3)}`)
  return list.join(',')
}

/** A frame, now and then one that is damaged. */
export function randomFrame(random: Random): Uint8Array {
  const frame = wholeFrame(random)
  switch (random.below(12)) {
    case 0:
      return frame.subarray(0, random.between(1, frame.length))
    case 1: {
      const at = random.below(Math.min(frame.length, 60))
      frame[at] = random.below(256)
      return frame
    }
    case 2: {
      // A fragment, where IPv4 comes right behind the Ethernet header; its checksum is wrong then, and stays wrong.
      if (frame.length > 34 && frame[12] === 8 && frame[13] === 0)
        frame.set(
          random.pick([
            [0x20, 0],
            [0x20, 5],
            [0, 5],
          ]),
          20,
        )
      return frame
    }
    default:
      return frame
  }
}

function wholeFrame(random: Random): Uint8Array {
  const vlans = random.pick([[], [], [], [1]]).map(() => ({
    vid: random.pick(VLANS),
    pcp: random.below(8),
    tpid: random.pick([0x8100, 0x8100, 0x88a8]),
  }))
  if (vlans.length > 0 && random.below(4) === 0) vlans.push({ vid: 6, pcp: 1, tpid: 0x8100 })
  const ethernet = {
    source: random.pick(MACS),
    destination: random.pick(MACS),
    vlans,
    minLength: random.pick([0, 60]),
  }
  const common = { ...ethernet, ttl: random.pick(TTLS), dscp: random.pick([0, 8, 46]) }
  const v4 = { sourceIp: random.pick(IPV4), destinationIp: random.pick(IPV4) }
  const v6 = { sourceIp: random.pick(IPV6), destinationIp: random.pick(IPV6) }
  const ports = { sourcePort: random.pick(PORTS), destinationPort: random.pick(PORTS) }
  const payload = random.bytes(random.below(20))
  const ip = random.below(3) === 0 ? v6 : v4
  switch (random.below(8)) {
    case 0:
      return buildEthernet({ ...ethernet, type: random.pick([0x88b5, 46, 0x8847]), payload })
    case 1: {
      const fields = {
        senderMac: random.pick(MACS),
        senderIp: random.pick(IPV4),
        targetIp: random.pick(IPV4),
        vlans,
      }
      return random.below(2) === 0
        ? buildArpRequest(fields)
        : buildArpReply({ ...fields, targetMac: random.pick(MACS) })
    }
    case 2:
      return buildEcho({ ...common, ...ip, reply: random.below(2) === 0, payload })
    case 3:
    case 4:
      return buildUdp({ ...common, ...ip, ...ports, payload })
    case 5:
      return buildIp({
        ...common,
        ...ip,
        protocol: random.pick([0, 4, 43, 44, 47, 51, 132]),
        payload,
      })
    default:
      return buildTcp({ ...common, ...ip, ...ports, flags: random.pick([2, 16, 18]), payload })
  }
}
