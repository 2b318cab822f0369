/** Operations of transactions that plug and unplug. */
import { isDeepStrictEqual } from 'node:util'
import type { InterfaceColumns } from './ovs.js'
import { mapOf, type OvsdbOperation, type OvsdbRow, toMap, toSet } from './ovsdb/index.js'

/** Columns of Interface that are ours to change. */
export const COLUMNS = ['type', 'options', 'external_ids', 'mtu_request'] as const

/** Keys of `options` and `external_ids` that are ours; others stay. */
const OWN_KEYS = ['vhost-server-path', 'iface-id', 'iface-status', 'attached-mac', 'vm-uuid']

export function changedColumns(current: OvsdbRow, wanted: InterfaceColumns): OvsdbRow {
  const merged = (column: 'options' | 'external_ids', own: Readonly<Record<string, string>>) => {
    const others = Object.entries(mapOf(current[column])).filter(([key]) => !OWN_KEYS.includes(key))
    return toMap({ ...Object.fromEntries(others), ...own })
  }
  return {
    type: wanted.type,
    options: merged('options', wanted.options),
    external_ids: merged('external_ids', wanted.externalIds),
    mtu_request: wanted.mtuRequest ?? toSet([]),
  }
}

/** The order of a map's entries means nothing. */
export function isSame(a: OvsdbRow, b: OvsdbRow): boolean {
  const normal = (row: OvsdbRow) => ({
    ...row,
    options: mapOf(row.options),
    external_ids: mapOf(row.external_ids),
  })
  return isDeepStrictEqual(normal(a), normal(b))
}

export function pick(row: OvsdbRow, columns: readonly string[]): OvsdbRow {
  return Object.fromEntries(columns.map((column) => [column, row[column]])) as OvsdbRow
}

/** The transaction is refused unless the row is as it was seen. */
export function unchanged(
  table: string,
  where: readonly unknown[],
  row: OvsdbRow,
  columns: readonly string[],
): OvsdbOperation {
  const expect = { op: 'wait', table, timeout: 0, where: [where], columns }
  return { ...expect, until: '==', rows: [pick(row, columns)] }
}

/** The transaction is refused if there is such a row. */
export function nothing(table: string, where: readonly unknown[]): OvsdbOperation {
  return { op: 'wait', table, timeout: 0, where: [where], columns: ['name'], until: '==', rows: [] }
}

export function mutate(
  table: string,
  where: readonly unknown[] | undefined,
  mutation: readonly unknown[],
): OvsdbOperation {
  return { op: 'mutate', table, where: where === undefined ? [] : [where], mutations: [mutation] }
}

export function update(where: readonly unknown[], row: OvsdbRow): OvsdbOperation {
  return { op: 'update', table: 'Interface', where: [where], row }
}

/** A bridge, with the port and interface of its own that every bridge of OVS has. */
export function insertBridge(name: string): OvsdbOperation[] {
  const insert = (table: string, uuid: string, row: object) => ({
    op: 'insert',
    table,
    'uuid-name': uuid,
    row: { name, ...row },
  })
  return [
    nothing('Bridge', ['name', '==', name]),
    insert('Interface', 'local_interface', { type: 'internal' }),
    insert('Port', 'local_port', { interfaces: ['named-uuid', 'local_interface'] }),
    insert('Bridge', 'bridge', { datapath_type: 'netdev', ports: ['named-uuid', 'local_port'] }),
    mutate('Open_vSwitch', undefined, ['bridges', 'insert', ['named-uuid', 'bridge']]),
  ]
}
