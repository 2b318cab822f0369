import { isDeepStrictEqual } from 'node:util'
import { bridgeOf, type InterfaceColumns, insertPort, interfaceColumns } from './ovs.js'
import {
  COLUMNS,
  changedColumns,
  insertBridge,
  isSame,
  mutate,
  nothing,
  pick,
  unchanged,
  update,
} from './ovs-operations.js'
import {
  mapOf,
  membersOf,
  OvsdbClient,
  OvsdbError,
  type OvsdbOperation,
  type OvsdbRow,
  textOf,
} from './ovsdb/index.js'
import { unreadable } from './parsed.js'
import type { Vif } from './vif.js'

/** How long plugging may take, and who may end it. */
export interface OvsPlugOptions {
  /** How long ovs-vswitchd may take to act, in milliseconds. Default 10000. */
  readonly timeoutMs?: number
  /** What was planned by then is undone. */
  readonly signal?: AbortSignal
  /** Told of every transaction, before it is sent. */
  readonly onTransaction?: (what: string, operations: readonly OvsdbOperation[]) => void
}

/** What plugging or unplugging did. */
export interface OvsPlugged {
  readonly port: string
  readonly bridge: string
  /** `created`, `changed` or `removed`; `unchanged` when all was so already. */
  readonly action: 'created' | 'changed' | 'removed' | 'unchanged'
}

/** ovs-vswitchd did not do what the database says, and the database is as it was before. */
export class OvsPlugError extends Error {
  override readonly name = 'OvsPlugError'
  readonly code = 'ERR_OVS_PLUG'
}

/** Others may change the same rows in between; more often than this is no accident. */
const ATTEMPTS = 5

/** What there is of a port, and what it is in. */
interface Found {
  readonly bridge: OvsdbRow | undefined
  /** The bridge that has the port, by its name. */
  readonly home: string | undefined
  readonly port: OvsdbRow | undefined
  readonly interface: OvsdbRow | undefined
  readonly nextCfg: number
}

type Undo = (now: Found) => readonly OvsdbOperation[]

const TAKEN_BACK = 'everything was taken back'

/** No type of an interface: the daemon takes the device away. */
const NO_TYPE = 'null'

/**
 * Makes a port of Open vSwitch what the description says, in one transaction: creates it, and its bridge where that is missing,
 * or changes what differs. Doing it again changes nothing. Returns once ovs-vswitchd has acted.
 *
 * Keys of `options` and `external_ids` that the description does not know stay. An OVS that runs ignores another
 * `vhost-server-path`: then the interface is taken down by a first transaction, and comes back by a second.
 *
 * @throws {@link OvsPlugError} when ovs-vswitchd reports an error or does not act; {@link OvsdbError}; {@link ConfigError} when
 *   the port is somebody else's. Nothing was changed then
 */
export async function plugOvs(
  client: OvsdbClient,
  vif: Vif,
  options: OvsPlugOptions = {},
): Promise<OvsPlugged> {
  return await new Plugging(client, vif, options).plug()
}

/**
 * Removes the port, in one transaction. One that is not there is well. Its bridge stays.
 *
 * @throws as {@link plugOvs}; when ovs-vswitchd does not act, the port is out of the database all the same
 */
export async function unplugOvs(
  client: OvsdbClient,
  vif: Vif,
  options: OvsPlugOptions = {},
): Promise<OvsPlugged> {
  return await new Plugging(client, vif, options).unplug()
}

class Plugging {
  readonly #client: OvsdbClient
  readonly #vif: Vif
  readonly #options: OvsPlugOptions
  readonly #timeoutMs: number
  readonly #wanted: InterfaceColumns

  constructor(client: OvsdbClient, vif: Vif, options: OvsPlugOptions) {
    if (vif.plug !== 'ovs') {
      const fix = 'plug ovs (vhostuser_ovs_plug) is the one of Open vSwitch'
      throw unreadable(`port ${vif.name}`, 'plug', vif.plug, 'is not done in an OVSDB', fix)
    }
    this.#client = client
    this.#vif = vif
    this.#options = options
    this.#timeoutMs = options.timeoutMs ?? 10_000
    this.#wanted = interfaceColumns(vif)
  }

  plug(): Promise<OvsPlugged> {
    return this.#again(async () => {
      const found = await this.#find()
      this.#checkOwner(found)
      if (found.interface === undefined) return await this.#create(found)
      return await this.#change(found, found.interface)
    })
  }

  unplug(): Promise<OvsPlugged> {
    return this.#again(async () => {
      const found = await this.#find()
      this.#checkOwner(found)
      if (found.port === undefined || found.home === undefined) return this.#did('unchanged')
      const cfg = await this.#transact('unplug', [
        unchanged('Port', this.#byName, found.port, ['name']),
        mutate('Bridge', ['name', '==', found.home], ['ports', 'delete', found.port._uuid]),
      ])
      await this.#acted(cfg, 'the port is out of the database, and goes when it acts')
      return this.#did('removed')
    })
  }

  async #create(found: Found): Promise<OvsPlugged> {
    const bridge = bridgeOf(this.#vif)
    const isNew = found.bridge === undefined
    const undo = ({ bridge: row, port }: Found) => {
      // Ports of others may have come into it.
      if (isNew && row !== undefined && membersOf(row.ports).length <= 2) {
        return [mutate('Open_vSwitch', undefined, ['bridges', 'delete', row._uuid])]
      }
      const home = ['name', '==', bridge]
      return port === undefined ? [] : [mutate('Bridge', home, ['ports', 'delete', port._uuid])]
    }
    const operations = [
      ...(isNew ? insertBridge(bridge) : []),
      nothing('Port', this.#byName),
      ...insertPort(this.#vif),
    ]
    await this.#step('plug', operations, undo)
    return this.#did('created')
  }

  async #change(found: Found, current: OvsdbRow): Promise<OvsPlugged> {
    const before = pick(current, COLUMNS)
    const row = changedColumns(current, this.#wanted)
    if (isSame(row, before)) {
      await this.#acted(found.nextCfg, 'the port was there before, and stays')
      await this.#checkError('the port was there before, and stays')
      return this.#did('unchanged')
    }
    const guard = unchanged('Interface', this.#byName, current, COLUMNS)
    const undo = () => [update(this.#byName, before)]
    const isMoved =
      current.type === row.type &&
      mapOf(current.options)['vhost-server-path'] !== mapOf(row.options)['vhost-server-path']
    if (isMoved) {
      const down = [guard, update(this.#byName, { ...before, type: NO_TYPE })]
      await this.#step('take down', down, undo, { isDown: true })
      await this.#step('change', [update(this.#byName, row)], undo, { isSecond: true })
    } else {
      await this.#step('change', [guard, update(this.#byName, row)], undo)
    }
    return this.#did('changed')
  }

  get #byName(): readonly unknown[] {
    return ['name', '==', this.#vif.name]
  }

  #did(action: OvsPlugged['action']): OvsPlugged {
    return { port: this.#vif.name, bridge: bridgeOf(this.#vif), action }
  }

  /** Once more when somebody else changed the same rows between our look and our transaction. */
  async #again(act: () => Promise<OvsPlugged>): Promise<OvsPlugged> {
    for (let attempt = 1; ; attempt++) {
      this.#options.signal?.throwIfAborted()
      try {
        return await act()
      } catch (error) {
        const isRace = error instanceof OvsdbError && error.reason === 'timed out'
        if (!isRace || attempt === ATTEMPTS) throw error
      }
    }
  }

  async #find(client = this.#client): Promise<Found> {
    const { name } = this.#vif
    const [bridges = [], [port], [found], [root]] = (
      await client.transact([
        { op: 'select', table: 'Bridge', where: [] },
        { op: 'select', table: 'Port', where: [this.#byName] },
        { op: 'select', table: 'Interface', where: [this.#byName] },
        { op: 'select', table: 'Open_vSwitch', where: [], columns: ['next_cfg'] },
      ])
    ).map(({ rows = [] }) => rows) as [OvsdbRow[], OvsdbRow[], OvsdbRow[], OvsdbRow[]]
    const has = (row: OvsdbRow) =>
      membersOf(row.ports).some((uuid) => isDeepStrictEqual(uuid, port?._uuid))
    const home = port && bridges.find(has)
    if (root === undefined) {
      const fix = 'start Open vSwitch, or initialise its database: ovs-vsctl --no-wait init'
      throw new OvsPlugError(`port ${name}: the database has no row in Open_vSwitch; ${fix}`)
    }
    return {
      bridge: bridges.find((row) => row.name === bridgeOf(this.#vif)),
      home: home && String(home.name),
      port,
      interface: found,
      nextCfg: Number(root.next_cfg),
    }
  }

  /** @throws ConfigError when the port, or its bridge, is not for us to change */
  #checkOwner({ bridge, home, interface: found }: Found): void {
    const wanted = bridgeOf(this.#vif)
    const refuse = (path: string, value: unknown, message: string, fix: string): never => {
      throw unreadable(`port ${this.#vif.name}`, path, value, message, fix)
    }
    if (home !== undefined && home !== wanted) {
      refuse(
        'bridge',
        wanted,
        `is not its bridge: it is in ${home}`,
        `unplug it from ${home} first`,
      )
    }
    if (bridge !== undefined && bridge.datapath_type !== 'netdev') {
      const fix = `ovs-vsctl set Bridge ${wanted} datapath_type=netdev`
      refuse('bridge', wanted, 'has the datapath of the kernel: no vhost-user ports', fix)
    }
    const id = mapOf(found?.external_ids)['iface-id']
    if (id !== undefined && this.#vif.id !== undefined && id !== this.#vif.id) {
      refuse('id', this.#vif.id, `is not the port there, which is ${id}`, 'unplug that one first')
    }
  }

  /** @returns the number of the configuration with it */
  async #transact(
    what: string,
    operations: readonly OvsdbOperation[],
    client = this.#client,
  ): Promise<number> {
    const all = [
      ...operations,
      // Tells ovs-vswitchd that there is something new.
      mutate('Open_vSwitch', undefined, ['next_cfg', '+=', 1]),
      { op: 'comment', comment: `dpdk-vhost: ${what} ${this.#vif.name}` },
      { op: 'select', table: 'Open_vSwitch', where: [], columns: ['next_cfg'] },
    ]
    this.#options.onTransaction?.(what, all)
    const results = await client.transact(all)
    return Number(results.at(-1)?.rows?.[0]?.next_cfg)
  }

  /**
   * A transaction that ovs-vswitchd acts on and finds nothing wrong with; or everything is taken back.
   *
   * @param options - `isDown`: that it finds something wrong is meant; `isSecond`: there was another step before
   */
  async #step(
    what: string,
    operations: readonly OvsdbOperation[],
    undo: Undo,
    { isDown = false, isSecond = false } = {},
  ): Promise<void> {
    try {
      const cfg = await this.#transact(what, operations)
      await this.#acted(cfg, TAKEN_BACK)
      if (!isDown) await this.#checkError(TAKEN_BACK)
    } catch (error) {
      // Of a connection that broke nobody knows what came of the transaction; one that was refused did nothing.
      const isRefused = error instanceof OvsdbError && error.code === 'ERR_OVSDB_REFUSED'
      if (!isRefused || isSecond) await this.#undo(undo, error)
      throw error
    }
  }

  /** By a connection of its own: the other may be what failed. */
  async #undo(undo: Undo, cause: unknown): Promise<void> {
    try {
      await using client = await OvsdbClient.connect(this.#client.remote)
      const operations = undo(await this.#find(client))
      if (operations.length > 0) await this.#transact('undo', operations, client)
    } catch (error) {
      const reasons = [cause, error].map((one) => (one as Error).message)
      const fix = `ovs-vsctl --if-exists del-port ${this.#vif.name}`
      const text = `port ${this.#vif.name} could not be taken back: ${reasons.join('; and then: ')}; do it with: ${fix}`
      throw new OvsPlugError(text, { cause: error })
    }
  }

  async #acted(cfg: number, otherwise: string): Promise<void> {
    const wait = {
      op: 'wait',
      table: 'Open_vSwitch',
      timeout: this.#timeoutMs,
      where: [['cur_cfg', '>=', cfg]],
      columns: ['cur_cfg'],
      until: '!=',
      rows: [],
    }
    const { signal } = this.#options
    const waiting = this.#client.transact([wait], { timeoutMs: this.#timeoutMs + 5000 })
    try {
      await (signal === undefined ? waiting : Promise.race([waiting, aborted(signal)]))
    } catch (error) {
      waiting.catch(() => {})
      if (!(error instanceof OvsdbError && error.reason === 'timed out')) throw error
      const text = `port ${this.#vif.name}: ovs-vswitchd has not acted within ${this.#timeoutMs} ms; is it running? ${otherwise}`
      throw new OvsPlugError(text, { cause: error })
    }
  }

  async #checkError(otherwise: string): Promise<void> {
    const [row] = await this.#client.select('Interface', [['name', '==', this.#vif.name]])
    const error = textOf(row, 'error')
    if (error === undefined) return
    const fix = 'see the log of ovs-vswitchd, and that it has other_config:dpdk-init=true'
    throw new OvsPlugError(`port ${this.#vif.name}: OVS says "${error}"; ${fix}; ${otherwise}`)
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
