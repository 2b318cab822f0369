import { randomFrame } from '../flows/random-flows.js'
import { Random, seeds } from '../headers/random.js'

const MAC = '02:00:00:00:00:01'
const PRIMITIVES: readonly ((random: Random) => string)[] = [
  (random) => random.pick(['ip', 'ip6', 'arp', 'tcp', 'udp', 'icmp', 'icmp6', 'ip multicast']),
  (random) => random.pick(['broadcast', 'multicast', 'ip6 multicast', 'llc']),
  (random) => `${random.pick(['', 'src ', 'dst '])}host ${address(random)}`,
  (random) => `${random.pick(['', 'src ', 'dst '])}net ${random.pick(NETS)}`,
  (random) =>
    `${random.pick(['', 'tcp ', 'udp ', 'sctp '])}${random.pick(['', 'src ', 'dst '])}port ${port(random)}`,
  (random) => `${random.pick(['', 'udp '])}portrange 53-${port(random)}`,
  (random) => `ether ${random.pick(['host', 'src', 'dst'])} ${MAC}`,
  (random) => `ether proto ${random.pick(['0x0800', '0x88b5', '\\arp', '\\ip6'])}`,
  (random) => `${random.pick(['ip', 'ip6'])} proto ${random.pick(['\\tcp', '\\udp', '58', '17'])}`,
  (random) => random.pick(['vlan', 'vlan 5', 'vlan 1 and ip', 'vlan and vlan', 'vlan 6 and udp']),
  (random) => `${random.pick(['less', 'greater'])} ${random.between(14, 120)}`,
  (random) => `len ${random.pick(['<', '>=', '='])} ${random.between(14, 120)}`,
  (random) => random.pick(['tcp[tcpflags] & (tcp-syn|tcp-fin) != 0', 'icmp[icmptype] = 8']),
  (random) =>
    `${random.pick(['ether', 'ip', 'tcp', 'udp', 'ip6'])}[${random.below(24)}${random.pick(['', ':2', ':4'])}] ${random.pick(['&', '|', '+', '-', '*', '/', '%', '^', '<<', '>>'])} ${random.between(1, 40)} ${random.pick(['=', '!=', '<', '>', '<=', '>='])} ${random.below(300)}`,
  (random) => `ip[${random.below(12)}] = ip[ip[0] & ${random.below(16)}]`,
  () => 'mpls',
  () => 'pppoes',
]
const NETS = ['10.0.0.0/8', '10.0.0.0/30', '192.168.0.0/16', '2001:db8::/64', 'fe80::/10']

function address(random: Random): string {
  return random.pick(['10.0.0.1', '10.0.0.2', '192.168.0.1', '2001:db8::1', 'fe80::1'])
}

function port(random: Random): number {
  return random.pick([53, 80, 443, 4433])
}

/** The same for the same seed; now and then one that libpcap does not take. */
export function randomFilter(seed: number): string {
  const random = new Random(seed)
  const part = (depth: number): string => {
    if (depth === 0 || random.below(3) === 0) return random.pick(PRIMITIVES)(random)
    const operator = random.pick(['and', 'or', 'and not', 'or not'])
    return `(${part(depth - 1)}) ${operator} (${part(depth - 1)})`
  }
  return `${random.below(5) === 0 ? 'not ' : ''}${part(3)}`
}

/** Other ones in every run; `TEST_SEED` repeats one. */
export function randomFrames(count: number): Uint8Array[] {
  const random = new Random(seeds()[1] as number)
  return Array.from({ length: count }, () => randomFrame(random))
}
