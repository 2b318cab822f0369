import { defaultOvsdb } from '../ovsdb/index.js'
import type { SourceStatus, SwitchPort } from './facts.js'
import { findingsOf, type VifFinding } from './findings/index.js'
import { gather } from './gather/gather.js'
import { type Host, LocalHost } from './host.js'
import { type InspectedPort, rowsOf } from './rows.js'
import { wiresOf } from './wires.js'

export interface InspectOptions {
  /** Ports of switches made with this package. Default: none. */
  readonly ports?: readonly SwitchPort[] | undefined
  /** libvirt. Default `qemu:///system`. */
  readonly libvirt?: string | undefined
  /** Database of OVS, `unix:/path` or `tcp:host:port`. Default: where `ovs-vsctl` looks. */
  readonly ovsdb?: string | undefined
  /** Default: this host. */
  readonly host?: Host | undefined
}

/** What is on a host. */
export interface Inspection {
  /** A line for each port of a guest or a switch. */
  readonly ports: readonly InspectedPort[]
  /** What does not fit, the worst first. */
  readonly findings: readonly VifFinding[]
  /** What was read, and what could not be. */
  readonly sources: readonly SourceStatus[]
}

/**
 * Looks at the vhost-user ports of this host from all sides: libvirt, QEMU, OVS, our switches, sockets, files. Only reads; what
 * is not there, or may not be read, is told in `sources`.
 *
 * @throws {@link ConfigError} when `ovsdb` is no address
 */
export async function inspectVifs(options: InspectOptions = {}): Promise<Inspection> {
  const { ports = [], libvirt = 'qemu:///system', ovsdb = defaultOvsdb() } = options
  const facts = await gather(options.host ?? new LocalHost(), { ports, libvirt, ovsdb })
  const wires = wiresOf(facts)
  return {
    ports: wires.flatMap(rowsOf),
    findings: findingsOf(facts, wires),
    sources: facts.sources,
  }
}
