import type { Memory } from '../memory.js'

/** Settings of `other_config`. */
export type Settings = readonly string[]

/** A port of a bridge. */
export interface OvsPort {
  readonly name: string
  /** Socket on which its guest listens. */
  readonly path: string
  /** Its number in flows. */
  readonly number: number
  /** Columns of its row in the table Port, such as `tag=5`, `vlan_mode=trunk`. */
  readonly columns?: readonly string[]
  /** Longest payload of a frame. Default 1500. */
  readonly mtu?: number
}

/** Its default is one pool of 262144 frames for all ports of an MTU, for which it needs this much memory. */
const SHARED_POOL_MIB = 2048

/** Memory as it comes. */
export function sharedPool({ kind, ealArgs, mib }: Memory): Settings {
  const args = ealArgs.map((arg) => (arg === String(mib) ? String(SHARED_POOL_MIB) : arg))
  return [dpdkExtra(kind, kind === 'memfd' ? args : ealArgs)]
}

/** A pool for each port, of what the port needs. */
export function portPools({ kind, ealArgs }: Memory): Settings {
  return [dpdkExtra(kind, ealArgs), 'other_config:per-port-memory=true']
}

function dpdkExtra(kind: Memory['kind'], ealArgs: readonly string[]): string {
  const common = ['--no-pci', '--no-telemetry', '--file-prefix=ovs', ...ealArgs]
  // OVS adds --in-memory by itself unless it sees this, and EAL takes no --no-huge with it.
  const args = kind === 'memfd' ? [...common, '--legacy-mem'] : common
  return `other_config:dpdk-extra="${args.join(' ')}"`
}

/** The name of a bridge: while the switch runs it is a network interface too. */
export const bridgeName = (): string => `bench${process.pid}`

/**
 * Commands of `ovs-vsctl` for one bridge. Without a controller it acts as an ordinary switch: one flow, NORMAL, which
 * it makes anew by itself; `secure` is a bridge without any.
 */
export function configuration(
  bridge: string,
  ports: readonly OvsPort[],
  cpu: number,
  settings: Settings,
  failMode: 'standalone' | 'secure' = 'standalone',
): string[] {
  const mask = `0x${(1n << BigInt(cpu)).toString(16)}`
  return [
    ...['set', 'Open_vSwitch', '.', 'other_config:dpdk-init=true'],
    ...settings,
    `other_config:pmd-cpu-mask="${mask}"`,
    ...['--', 'add-br', bridge, '--', 'set', 'Bridge', bridge, 'datapath_type=netdev'],
    `fail_mode=${failMode}`,
    ...ports.flatMap(({ name, path, number, columns = [], mtu }) => [
      ...['--', 'add-port', bridge, name, ...columns],
      ...['--', 'set', 'Interface', name, 'type=dpdkvhostuserclient', `ofport_request=${number}`],
      `options:vhost-server-path="${path}"`,
      ...(mtu === undefined ? [] : [`mtu_request=${mtu}`]),
    ]),
  ]
}
