import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from '../../src/testkit/vm/kernel-image.js'

const PLACES = ['/usr/bin', join(cacheFolder(), 'ovs/usr/bin')]

/** Why tests with the real `ovs-ofctl` are skipped, or `false`. */
export const withoutOfctl =
  ofctlPath() === undefined
    ? 'ovs-ofctl is not there: install the package openvswitch-common, or unpack it with npm run setup -- --ovs'
    : false

function ofctlPath(): string | undefined {
  return PLACES.map((folder) => join(folder, 'ovs-ofctl')).find(existsSync)
}

/** All versions: each has actions that others lack. */
const VERSIONS = ['10', '11', '12', '13', '14', '15'].map((v) => `OpenFlow${v}`).join(',')

/** What `ovs-ofctl` makes of a flow: the flow in its own words, or its complaint. */
export function ofctl(flow: string): { printed: string } | { refused: string } {
  const { status, stdout, stderr } = run(flow)
  const [, printed] = /\): ADD (.*)/.exec(stdout) ?? []
  if (status !== 0 || printed === undefined) return { refused: stderr.trim() || stdout.trim() }
  return { printed }
}

/** Whether it takes a flow, even one that it cannot print: of some with two tags it cannot read what it wrote itself. */
export function isTaken(flow: string): boolean {
  return run(flow).status === 0
}

function run(flow: string) {
  return spawnSync(ofctlPath() as string, ['-O', VERSIONS, 'parse-flow', flow], {
    encoding: 'utf8',
    timeout: 60_000,
  })
}

/** The words of `ovs-ofctl`, as it would read them. */
export function readable(printed: string): string {
  return printed
    .replace(/\btable:(\d+)/, 'table=$1')
    .replace(/\bcookie:/, 'cookie=')
    .replace(/\bidle:/, 'idle_timeout=')
    .replace(/\bhard:/, 'hard_timeout=')
    .replace(/resubmit\(,(\d+)\)/, 'goto_table:$1')
    .replaceAll(/set_vlan_(vid|pcp)/g, 'mod_vlan_$1')
    .replaceAll(/set_nw_tos:/g, 'mod_nw_tos:')
    .replaceAll(/NXM_(?:OF|NX)_ARP_(\w+)/g, (_, of: string) => `arp_${of.toLowerCase()}`)
    .replaceAll(/NXM_OF_ICMP_(TYPE|CODE)/g, (_, of: string) => `icmp_${of.toLowerCase()}`)
    .replaceAll(/NXM_NX_ICMPV6_(TYPE|CODE)/g, (_, of: string) => `icmpv6_${of.toLowerCase()}`)
    .replaceAll(/NXM_NX_IP_(ECN|TTL)/g, (_, of: string) => `nw_${of.toLowerCase()}`)
    .replaceAll(/NXM_NX_IPV6_(SRC|DST|LABEL)/g, (_, of: string) => `ipv6_${of.toLowerCase()}`)
    .replaceAll(/OXM_OF_METADATA/g, 'metadata')
}
