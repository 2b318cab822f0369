import { shellQuoted } from './command-line.js'
import type { OvsdbOperation } from './ovsdb/types.js'
import { toMap } from './ovsdb/values.js'
import { switchPortType } from './port-options.js'
import { type Vif, withoutUndefined } from './vif.js'

/** Columns of the Interface of a port, as os-vif sets them. */
export interface InterfaceColumns {
  readonly type: string
  readonly options: Readonly<Record<string, string>>
  readonly externalIds: Readonly<Record<string, string>>
  readonly mtuRequest?: number
}

export function interfaceColumns(vif: Vif): InterfaceColumns {
  const ids = {
    'iface-id': vif.id,
    'iface-status': vif.id === undefined ? undefined : 'active',
    'attached-mac': vif.mac,
    'vm-uuid': vif.vmId,
  }
  return {
    type: switchPortType(vif),
    options: vif.qemuMode === 'server' ? { 'vhost-server-path': vif.socket } : {},
    externalIds: withoutUndefined(ids) as Record<string, string>,
    ...(vif.mtu === undefined ? {} : { mtuRequest: vif.mtu }),
  }
}

/** Bridge that a port goes into, if it names none: Nova's `[neutron] ovs_bridge`. */
export const bridgeOf = ({ bridge = 'br-int' }: Vif) => bridge

/** Arguments of `ovs-vsctl` that add the port, and its bridge if it is not there. Doing it again changes nothing. */
export function ovsVsctlArguments(vif: Vif): string[] {
  const { type, options, externalIds, mtuRequest } = interfaceColumns(vif)
  const bridge = bridgeOf(vif)
  const pairs = (column: string, map: Readonly<Record<string, string>>) =>
    Object.entries(map).map(([key, value]) => `${column}:${key}=${JSON.stringify(value)}`)
  return [
    ...['--may-exist', 'add-br', bridge, '--', 'set', 'Bridge', bridge, 'datapath_type=netdev'],
    ...['--', '--may-exist', 'add-port', bridge, vif.name],
    ...['--', 'set', 'Interface', vif.name, `type=${type}`],
    ...pairs('options', options),
    ...pairs('external_ids', externalIds),
    ...(mtuRequest === undefined ? [] : [`mtu_request=${mtuRequest}`]),
  ]
}

/** The same as a line for a shell. */
export function ovsVsctlCommand(vif: Vif): string {
  return ['ovs-vsctl', ...ovsVsctlArguments(vif)].map(shellQuoted).join(' ')
}

/** A request to an OVSDB server (RFC 7047, 4.1.3). */
export interface OvsdbRequest {
  readonly method: 'transact'
  readonly params: readonly ['Open_vSwitch', ...object[]]
  readonly id: number
}

/**
 * The same as one transaction. It fails, and changes nothing, when the bridge is not there or the port is already: a
 * transaction cannot ask and then choose, as `--may-exist` does.
 */
export function ovsdbTransaction(vif: Vif, id = 0): OvsdbRequest {
  const bridge = ['name', '==', bridgeOf(vif)]
  const expect = (table: string, where: unknown, rows: object[]) => ({
    op: 'wait',
    table,
    timeout: 0,
    where: [where],
    columns: ['name'],
    until: '==',
    rows,
  })
  return {
    method: 'transact',
    params: [
      'Open_vSwitch',
      expect('Bridge', bridge, [{ name: bridgeOf(vif) }]),
      expect('Port', ['name', '==', vif.name], []),
      ...insertPort(vif),
      // Tells ovs-vswitchd that there is something new.
      { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['next_cfg', '+=', 1]] },
    ],
    id,
  }
}

/** Operations that put a new port into its bridge. */
export function insertPort(vif: Vif): OvsdbOperation[] {
  const { type, options, externalIds, mtuRequest } = interfaceColumns(vif)
  return [
    {
      op: 'insert',
      table: 'Interface',
      'uuid-name': 'interface',
      row: {
        name: vif.name,
        type,
        options: toMap(options),
        external_ids: toMap(externalIds),
        ...(mtuRequest === undefined ? {} : { mtu_request: mtuRequest }),
      },
    },
    {
      op: 'insert',
      table: 'Port',
      'uuid-name': 'port',
      row: { name: vif.name, interfaces: ['named-uuid', 'interface'] },
    },
    {
      op: 'mutate',
      table: 'Bridge',
      where: [['name', '==', bridgeOf(vif)]],
      mutations: [['ports', 'insert', ['named-uuid', 'port']]],
    },
  ]
}
