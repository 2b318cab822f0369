import {
  arp,
  EtherType,
  ethernet,
  formatIpv4,
  formatIpv6,
  formatMac,
  Headers,
  icmp,
  icmpv6,
  ipv4,
  ipv6,
  Protocol,
  tcp,
  udp,
} from 'dpdk-vhost/headers'
import type { CapturedFrame } from '../pcapng-scanner.js'

const headers = new Headers()
const PROTOCOLS = namesOf(Protocol)
const TYPES = namesOf(EtherType)

/** A frame in one line: when, which port, which way, who to whom. What is inside is for tcpdump and Wireshark. */
export function frameText({ port, direction, time, bytes, length }: CapturedFrame): string {
  return `${timeText(time)} ${port} ${direction} ${contentText(bytes)}, length ${length}`
}

function contentText(bytes: Buffer): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytes.length < ethernet.LENGTH) return 'too short for Ethernet'
  headers.parseAt(view, 0, bytes.length)
  const macs = `${formatMac(ethernet.source(view, 0))} > ${formatMac(ethernet.destination(view, 0))}`
  const tag = headers.tags > 0 ? `, vlan ${headers.tci & 0xfff}` : ''
  return `${macs}${tag}, ${packetText(view, bytes)}`
}

function packetText(view: DataView, bytes: Buffer): string {
  const { etherType, l3 } = headers
  const type = TYPES.get(etherType) ?? `type 0x${etherType.toString(16).padStart(4, '0')}`
  if (l3 < 0) return type
  switch (etherType) {
    case EtherType.arp: {
      const target = formatIpv4(arp.targetIpv4(view, l3))
      const sender = formatIpv4(arp.senderIpv4(view, l3))
      if (arp.operation(view, l3) === arp.Operation.request) {
        return `ARP who-has ${target} tell ${sender}`
      }
      return `ARP ${sender} is-at ${formatMac(arp.senderMac(view, l3))}`
    }
    case EtherType.ipv4:
      return transportText(
        view,
        formatIpv4(ipv4.source(view, l3)),
        formatIpv4(ipv4.destination(view, l3)),
      )
    case EtherType.ipv6:
      return transportText(
        view,
        formatIpv6(bytes, l3 + ipv6.SOURCE),
        formatIpv6(bytes, l3 + ipv6.DESTINATION),
      )
    default:
      return type
  }
}

function transportText(view: DataView, source: string, target: string): string {
  const { protocol, l4 } = headers
  const name = PROTOCOLS.get(protocol) ?? `proto ${protocol}`
  if (l4 < 0) return `${source} > ${target}: ${name}`
  switch (protocol) {
    case Protocol.tcp: {
      const ports = [tcp.sourcePort(view, l4), tcp.destinationPort(view, l4)] as const
      return `${source}.${ports[0]} > ${target}.${ports[1]}: TCP [${flagsText(tcp.flags(view, l4))}]`
    }
    case Protocol.udp:
      return `${source}.${udp.sourcePort(view, l4)} > ${target}.${udp.destinationPort(view, l4)}: UDP`
    case Protocol.icmp:
      return `${source} > ${target}: ICMP type ${icmp.type(view, l4)}`
    case Protocol.icmpv6:
      return `${source} > ${target}: ICMPv6 type ${icmpv6.type(view, l4)}`
    default:
      return `${source} > ${target}: ${name}`
  }
}

/** As tcpdump has them: `S.` for SYN and ACK. */
function flagsText(flags: number): string {
  const letters = [
    [tcp.Flag.syn, 'S'],
    [tcp.Flag.fin, 'F'],
    [tcp.Flag.rst, 'R'],
    [tcp.Flag.psh, 'P'],
    [tcp.Flag.ack, '.'],
  ] as const
  return letters.flatMap(([flag, letter]) => ((flags & flag) === 0 ? [] : letter)).join('')
}

/** `14:07:59.123456`, in local time. */
function timeText(time: bigint): string {
  const date = new Date(Number(time / 1_000_000n))
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()]
  const clock = parts.map((part) => String(part).padStart(2, '0')).join(':')
  return `${clock}.${String((time / 1000n) % 1_000_000n).padStart(6, '0')}`
}

function namesOf(numbers: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(numbers).map(([name, number]) => [number, name]))
}
