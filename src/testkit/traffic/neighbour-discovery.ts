import { buildIp } from '../../headers/build.js'
import * as icmpv6 from '../../headers/icmpv6.js'
import { formatIpv6, parseIpv6 } from '../../headers/ip-address.js'
import { Protocol } from '../../headers/ipv4.js'
import { writeMac } from '../../headers/mac.js'

/** Source link-layer address option: type, length in units of eight bytes, MAC address. */
const OPTION_BYTES = 8

/** `33:33:ff:00:00:00`, where the group of a solicited node begins (RFC 2464, 7). */
const SOLICITED_NODE_MAC = 0x3333ff000000

/** The question who has `target` (RFC 4861, 4.3), sent to the target's solicited-node group. */
export function buildSolicitation(mac: number, source: string, target: string): Uint8Array {
  const address = parseIpv6(target)
  const group = parseIpv6('ff02::1:ff00:0')
  group.set(address.subarray(13), 13)
  const low =
    ((address[13] as number) << 16) | ((address[14] as number) << 8) | (address[15] as number)

  const message = new Uint8Array(icmpv6.NEIGHBOUR_LENGTH + OPTION_BYTES)
  const view = new DataView(message.buffer)
  message[0] = icmpv6.Type.neighbourSolicitation
  message.set(address, 8)
  message[icmpv6.NEIGHBOUR_LENGTH] = icmpv6.Option.sourceLinkLayerAddress
  message[icmpv6.NEIGHBOUR_LENGTH + 1] = 1
  writeMac(view, icmpv6.NEIGHBOUR_LENGTH + 2, mac)
  return buildIp({
    source: mac,
    destination: SOLICITED_NODE_MAC + low,
    sourceIp: source,
    destinationIp: formatIpv6(group),
    ttl: 255,
    protocol: Protocol.icmpv6,
    payload: message,
  })
}
