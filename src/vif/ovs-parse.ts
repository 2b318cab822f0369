import type { Problem } from '../config/index.js'
import { mapOf, membersOf, textOf } from './ovsdb/values.js'
import { type Parsed, type PortwiseOptions, readPorts, unreadable } from './parsed.js'
import { newVif, type Vif, withoutUndefined } from './vif.js'

/** An interface of OVS, however it was read. */
interface OvsInterface {
  readonly name: string
  readonly type: string
  readonly serverPath?: string | undefined
  /** Where OVS listens. */
  readonly socket?: string | undefined
  readonly bridge?: string | undefined
  readonly externalIds?: Readonly<Record<string, string>>
  readonly mtu?: number | undefined
  readonly error?: string | undefined
}

/** What OVS does not tell. */
export interface OvsParseOptions extends PortwiseOptions {
  /** Folder of the sockets of `dpdkvhostuser` ports whose status does not name it. Default `/var/run/openvswitch`. */
  readonly socketFolder?: string | undefined
}

/**
 * Reads the vhost-user ports of `ovs-vsctl show`.
 *
 * @throws {@link ConfigError} when there are none, or one of them cannot be used
 */
export function parseOvsShow(text: string, options: OvsParseOptions = {}): Parsed {
  const interfaces: OvsInterface[] = []
  let bridge: string | undefined
  for (const line of text.split('\n')) {
    const [, key, rest] = line.match(/^\s+(Bridge|Interface|type|options|error):?\s+(.*)$/) ?? []
    const last = interfaces.at(-1)
    if (key === 'Bridge') bridge = atom(rest)
    else if (key === 'Interface') interfaces.push({ name: atom(rest), type: '', bridge })
    else if (last !== undefined && key !== undefined) {
      const serverPath = rest?.match(/vhost-server-path=("(?:[^"\\]|\\.)*"|[^,}]*)/)?.[1]
      const more =
        key === 'options'
          ? { serverPath: serverPath === undefined ? undefined : atom(serverPath) }
          : { [key]: atom(rest) }
      interfaces[interfaces.length - 1] = { ...last, ...more }
    }
  }
  return toParsed(interfaces, 'ovs-vsctl show', options)
}

/** OVSDB writes a string that is no word in quotes, as JSON does. */
function atom(text = ''): string {
  try {
    return text.startsWith('"') ? (JSON.parse(text) as string) : text
  } catch {
    return text
  }
}

type Row = Readonly<Record<string, unknown>>

/**
 * Reads rows of an OVSDB: tables of `ovs-vsctl --format=json list` or `ovsdb-client --format=json dump`, or results of
 * `select`. Of which bridge a port is can be told only with the tables Bridge and Port.
 *
 * @throws {@link ConfigError} when there is no vhost-user port, or one of them cannot be used
 */
export function parseOvsdb(documents: readonly unknown[], options: OvsParseOptions = {}): Parsed {
  const rows = documents.flatMap(rowsOf)
  const bridgeOf = (uuid: unknown): string | undefined => {
    const has = (column: string, wanted: unknown) => (row: Row) =>
      membersOf(row[column]).some((member) => JSON.stringify(member) === JSON.stringify(wanted))
    const port = rows.find(has('interfaces', uuid))
    return port && textOf(rows.find(has('ports', port._uuid)), 'name')
  }
  const interfaces = rows
    .filter((row) => 'type' in row && 'options' in row && 'name' in row)
    .map((row) => ({
      name: String(row.name),
      type: String(row.type),
      serverPath: mapOf(row.options)['vhost-server-path'],
      socket: mapOf(row.status).socket,
      bridge: bridgeOf(row._uuid),
      externalIds: mapOf(row.external_ids),
      mtu: membersOf<number>(row.mtu_request)[0],
      error: textOf(row, 'error'),
    }))
  return toParsed(interfaces, 'OVSDB', options)
}

/** Whether a JSON document is one of {@link parseOvsdb}'s. */
export function isOvsdb(document: unknown): boolean {
  if (typeof document !== 'object' || document === null) return false
  if (Array.isArray(document)) return document.some((item) => isOvsdb(item))
  return (
    'headings' in document || 'rows' in document || 'result' in document || 'options' in document
  )
}

function rowsOf(document: unknown): Row[] {
  if (Array.isArray(document)) return document.flatMap(rowsOf)
  if (typeof document !== 'object' || document === null) return []
  const { headings, data, rows, result } = document as Row
  if (Array.isArray(result)) return rowsOf(result)
  if (Array.isArray(rows)) return rows as Row[]
  if (!Array.isArray(headings) || !Array.isArray(data)) return [document as Row]
  return data.map((cells: unknown[]) =>
    Object.fromEntries(headings.map((heading, i) => [heading, cells[i]])),
  )
}

function toParsed(
  interfaces: readonly OvsInterface[],
  what: string,
  { socketFolder = '/var/run/openvswitch', ...portwise }: OvsParseOptions,
): Parsed {
  const ours = interfaces.filter(({ type }) => type.startsWith('dpdkvhostuser'))
  if (ours.length === 0) {
    const types = [...new Set(interfaces.map(({ type }) => type || 'system'))].join(', ') || 'none'
    const fix = 'give a switch with ports of type dpdkvhostuserclient or dpdkvhostuser'
    throw unreadable(
      what,
      'type',
      undefined,
      `of a vhost-user port is missing; there are: ${types}`,
      fix,
    )
  }
  const warnings = ours.flatMap(troubles)
  return { vifs: readPorts(ours, (one) => toVif(one, what, socketFolder), portwise), warnings }
}

function toVif(one: OvsInterface, what: string, socketFolder: string): Vif {
  const isClient = one.type === 'dpdkvhostuserclient'
  const ids = one.externalIds ?? {}
  return newVif(
    withoutUndefined({
      id: ids['iface-id'],
      name: one.name,
      socket: (isClient ? one.serverPath : (one.socket ?? `${socketFolder}/${one.name}`)) as string,
      qemuMode: isClient ? ('server' as const) : ('client' as const),
      plug: 'ovs' as const,
      mac: ids['attached-mac'],
      mtu: one.mtu,
      bridge: one.bridge,
      vmId: ids['vm-uuid'],
    }),
    `${what}: interface ${one.name}`,
  )
}

function troubles({ name, type, error }: OvsInterface): Problem[] {
  const path = `Interface ${name}`
  const found: Problem[] = []
  if (error !== undefined) {
    const message = 'is what OVS says is wrong with it'
    found.push({ path: `${path} error`, value: error, message, fix: 'see the log of ovs-vswitchd' })
  }
  if (type === 'dpdkvhostuser') {
    const message = 'is deprecated: guests lose their network when OVS is restarted'
    const fix = 'let QEMU listen, and use dpdkvhostuserclient'
    found.push({ path: `${path} type`, value: type, message, fix })
  }
  return found
}
