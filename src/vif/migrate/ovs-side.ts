import { readFileSync } from 'node:fs'
import { mapOf, membersOf, OvsdbClient, type OvsdbRow, textOf, toMap } from '../ovsdb/index.js'
import { MigrationError } from './error.js'
import type { SwitchSide, SwitchSidePort } from './switch-side.js'
import { until } from './until.js'

/** Where OVS is. */
export interface OvsSideOptions {
  /** Its database. Default: where `ovs-vsctl` looks. */
  readonly ovsdb?: string | undefined
  /** Folder of the sockets of its `dpdkvhostuser` ports, and of its pid file. Default `/var/run/openvswitch`. */
  readonly runFolder?: string | undefined
}

const COLUMNS = ['name', 'type', 'options', 'status', 'error']

/** Open vSwitch, by its database. */
export class OvsSide implements SwitchSide {
  readonly name = 'OVS'
  readonly #ovsdb: string | undefined
  readonly #runFolder: string

  constructor({ ovsdb, runFolder = '/var/run/openvswitch' }: OvsSideOptions = {}) {
    this.#ovsdb = ovsdb
    this.#runFolder = runFolder
  }

  async pid(): Promise<number | undefined> {
    try {
      return Number.parseInt(readFileSync(`${this.#runFolder}/ovs-vswitchd.pid`, 'utf8'), 10)
    } catch {
      return undefined
    }
  }

  async ports(): Promise<SwitchSidePort[]> {
    await using client = await OvsdbClient.connect(this.#ovsdb)
    const rows = await client.select('Interface', [], COLUMNS)
    return rows
      .map(({ name, type, options }) => ({
        name: name as string,
        type: type as SwitchSidePort['type'],
        path:
          type === 'dpdkvhostuser'
            ? `${this.#runFolder}/${name}`
            : (mapOf(options)['vhost-server-path'] ?? ''),
      }))
      .filter(({ type }) => type.startsWith('dpdkvhostuser'))
  }

  async set({ name, type, path }: SwitchSidePort): Promise<void> {
    await using client = await OvsdbClient.connect(this.#ovsdb)
    const row = await find(client, name)
    const { 'vhost-server-path': _, ...others } = mapOf(row.options)
    const options =
      type === 'dpdkvhostuserclient' ? { ...others, 'vhost-server-path': path } : others
    await client.transact([
      {
        op: 'update',
        table: 'Interface',
        where: [['name', '==', name]],
        row: { type, options: toMap(options) },
      },
      { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['next_cfg', '+=', 1]] },
    ])
    const acted = async () => {
      const [config] = await client.select('Open_vSwitch', [], ['cur_cfg', 'next_cfg'])
      return Number(config?.cur_cfg) >= Number(config?.next_cfg)
    }
    const late = 'ovs-vswitchd does not act on its database; is it running?'
    await until(acted, 20_000, () => late)
    const error = textOf(await find(client, name), 'error')
    if (error === undefined) return
    throw new MigrationError(
      'ERR_MIGRATION_STEP',
      `OVS says of ${name}: ${error}; see the log of ovs-vswitchd`,
    )
  }

  async isConnected(port: string): Promise<boolean> {
    await using client = await OvsdbClient.connect(this.#ovsdb)
    return mapOf((await find(client, port)).status).status === 'connected'
  }
}

async function find(client: OvsdbClient, name: string): Promise<OvsdbRow> {
  const [row] = await client.select('Interface', [['name', '==', name]], COLUMNS)
  if (row !== undefined) return row
  const names = membersOf(await client.select('Interface', [], ['name'])).map((other) =>
    textOf(other as OvsdbRow, 'name'),
  )
  throw new MigrationError(
    'ERR_MIGRATION_STEP',
    `OVS has no port ${name}; there are: ${names.join(', ')}`,
  )
}
