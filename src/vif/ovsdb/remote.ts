import type { NetConnectOpts } from 'node:net'
import { unreadable } from '../parsed.js'

/** Where `ovs-vsctl` looks if nobody says: in `$OVS_RUNDIR`, else `/var/run/openvswitch`. */
export function defaultOvsdb(runtimeFolder = process.env.OVS_RUNDIR): string {
  return `unix:${runtimeFolder || '/var/run/openvswitch'}/db.sock`
}

/**
 * Reads `unix:/path`, `tcp:host:port` or `tcp:[::1]:port`, as `ovs-vsctl --db` takes them.
 *
 * @throws {@link ConfigError} when it is something else
 */
export function parseRemote(remote: string): NetConnectOpts {
  const [, path] = remote.match(/^unix:(.+)$/) ?? []
  if (path !== undefined) return { path }
  const [, address, name, digits] = remote.match(/^tcp:(?:\[([^\]]+)\]|([^:]+)):(\d+)$/) ?? []
  const host = address ?? name
  const port = Number(digits)
  if (host !== undefined && port > 0 && port < 65536) return { host, port }
  const message = remote.startsWith('ssl:') ? 'needs TLS' : 'is no OVSDB remote'
  throw unreadable('ovsdb', '', remote, message, 'give unix:/path or tcp:host:port')
}
