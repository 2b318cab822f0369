/**
 * Reading and writing headers in packet memory.
 *
 * @packageDocumentation
 */
export { ABSENT } from './absent.js'
export * as arp from './arp.js'
export * from './checksum.js'
export * as ethernet from './ethernet.js'
export { EtherType } from './ethernet.js'
export * from './headers.js'
export * as icmp from './icmp.js'
export * as icmpv6 from './icmpv6.js'
export * from './ip-address.js'
export * as ipv4 from './ipv4.js'
export { Protocol } from './ipv4.js'
export * as ipv6 from './ipv6.js'
export * from './mac.js'
export * from './rewrite.js'
export * as tcp from './tcp.js'
export * from './transport-checksum.js'
export * as udp from './udp.js'
export * as vlan from './vlan.js'
