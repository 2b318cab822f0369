import { ConfigError } from '../../../config/config-error.js'
import { parseOvsdb } from '../../ovs-parse.js'
import { mapOf, type OvsdbRow, textOf } from '../../ovsdb/index.js'
import { switchPortType } from '../../port-options.js'
import type { OvsFacts, SwitchPort } from '../facts.js'
import { type Host, optional } from '../host.js'
import type { Processes } from './processes.js'
import type { Sources } from './sources.js'

const TABLES = ['Open_vSwitch', 'Bridge', 'Port', 'Interface'] as const

/** vhost-user ports of OVS, by its database. @param remote - `unix:/path` or `tcp:host:port` */
export async function gatherOvs(
  host: Host,
  remote: string,
  processes: Processes,
  sources: Sources,
): Promise<OvsFacts | undefined> {
  let rows: readonly (readonly OvsdbRow[])[]
  try {
    rows = await host.ovsdb(remote, TABLES)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
    return sources.add(code === 'ENOENT' ? 'absent' : 'unread', 'OVS', (error as Error).message)
  }
  const [[global] = [], bridges = [], , interfaces = []] = rows
  const ours = interfaces.filter((row) => String(row.type).startsWith('dpdkvhostuser'))
  const pid = ovsPid(host, remote, processes)
  sources.add('read', 'OVS', `${ours.length} vhost-user ports; ${remote}`)
  const initialized = textOf(global, 'dpdk_initialized')
  const dpdk = initialized === undefined ? undefined : initialized === 'true'
  if (ours.length === 0) return { pid, ports: [], unusable: [], dpdk, kernelBridges: new Map() }

  const unusable: ConfigError[] = []
  const { vifs } = parseOvsdb(
    rows.map((table) => ({ rows: table })),
    { onUnusable: (error) => unusable.push(error) },
  )
  const ports = vifs.map((vif): SwitchPort => {
    const row = ours.find(({ name }) => name === vif.name)
    const { status, n_rxq } = mapOf(row?.status)
    return {
      switch: 'OVS',
      name: vif.name,
      bridge: vif.bridge,
      type: switchPortType(vif),
      socket: vif.socket,
      state: textOf(row, 'admin_state') === 'down' ? 'down' : status,
      isConnected: status === undefined ? undefined : status === 'connected',
      reason: textOf(row, 'error'),
      usedQueues: n_rxq === undefined || status !== 'connected' ? undefined : Number(n_rxq),
      mtu: vif.mtu,
      pid,
    }
  })
  const used = new Set(ports.map(({ bridge }) => bridge))
  const kernelBridges = new Map(
    bridges
      .map((row) => [String(row.name), textOf(row, 'datapath_type') ?? 'system'] as const)
      .filter(([name, type]) => used.has(name) && type !== 'netdev' && type !== 'dummy'),
  )
  return { pid, ports, unusable, dpdk, kernelBridges }
}

/** The daemon of that database: by its arguments, or by the pidfile beside the socket. */
function ovsPid(host: Host, remote: string, processes: Processes): number | undefined {
  const path = remote.replace(/^unix:/, '')
  const daemons = processes.pids.filter((pid) =>
    /(^|\/)ovs-vswitchd(-dpdk)?$/.test(processes.argumentsOf(pid)[0] ?? ''),
  )
  const told = daemons.filter((pid) => processes.argumentsOf(pid).some((arg) => arg.includes(path)))
  const file = path.replace(/[^/]*$/, 'ovs-vswitchd.pid')
  const noted = Number(optional(() => host.read(file).trim()))
  // One that watches over the other has the same arguments, and is the older.
  const found = [noted, ...told.toReversed(), ...(daemons.length === 1 ? daemons : [])]
  return found.find((pid) => daemons.includes(pid))
}
