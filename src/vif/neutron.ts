import type { Problem } from '../config/index.js'
import { nearest } from '../config/nearest.js'
import { type Parsed, unreadable } from './parsed.js'
import { PLUG_FACTS, PLUGS, type Plug, type PlugKey } from './plug.js'
import { newVif, type Vif } from './vif.js'

/** `binding:vif_details` of a vhost-user port: the keys that Neutron and Nova ship. */
export interface VifDetails {
  /** Role of QEMU. Absent, Nova takes `server`. */
  vhostuser_mode?: 'client' | 'server'
  vhostuser_socket: string
  vhostuser_ovs_plug?: boolean
  vhostuser_fp_plug?: boolean
  vhostuser_vrouter_plug?: boolean
  bridge_name?: string
  datapath_type?: string
  port_filter?: boolean
  ovs_hybrid_plug?: boolean
}

/** A port of Neutron, as much of it as is used here. */
export interface NeutronPort {
  id?: string
  mac_address?: string
  device_id?: string
  'binding:vif_type': 'vhostuser'
  'binding:vnic_type': 'normal'
  'binding:vif_details': VifDetails
}

const VHOSTUSER_KEYS = [
  'vhostuser_mode',
  'vhostuser_socket',
  'vhostuser_ovs_plug',
  'vhostuser_fp_plug',
  'vhostuser_vrouter_plug',
] as const

type Json = Readonly<Record<string, unknown>>

/** The details that Neutron gives Nova. Keys without a value here are left out. */
export function vifDetails(vif: Vif): VifDetails {
  const plugs = Object.fromEntries(PLUG_FACTS[vif.plug].keys.map((key) => [key, true]))
  const ovs = vif.plug === 'ovs' ? { datapath_type: 'netdev', ovs_hybrid_plug: false } : {}
  return {
    vhostuser_mode: vif.qemuMode,
    vhostuser_socket: vif.socket,
    ...plugs,
    ...(vif.bridge === undefined ? {} : { bridge_name: vif.bridge }),
    ...ovs,
    port_filter: vif.plug === 'generic',
  }
}

/** The port as Neutron's API shows it; with the MTU, which is the network's, beside it. */
export function neutronPort(vif: Vif): { port: NeutronPort; network?: { mtu: number } } {
  return {
    port: {
      ...(vif.id === undefined ? {} : { id: vif.id }),
      ...(vif.mac === undefined ? {} : { mac_address: vif.mac }),
      ...(vif.vmId === undefined ? {} : { device_id: vif.vmId }),
      'binding:vif_type': 'vhostuser',
      'binding:vnic_type': 'normal',
      'binding:vif_details': vifDetails(vif),
    },
    ...(vif.mtu === undefined ? {} : { network: { mtu: vif.mtu } }),
  }
}

/**
 * Reads ports as Neutron's API or `openstack port show -f json` print them: one, `{ port, network? }` or `{ ports }`.
 *
 * Queues, ring sizes and the like are of the flavor and the host: `newVif({ ...vif, queues: 2 })`.
 *
 * @throws {@link ConfigError} when a port cannot be used: another type, a missing socket, keys that contradict each other
 */
export function parseNeutron(value: unknown): Parsed {
  const warnings: Problem[] = []
  const document = object(value, 'Neutron', '')
  const list = document.ports ?? [document.port ?? document]
  if (!Array.isArray(list) || list.length === 0)
    throw unreadable('Neutron', 'ports', list, 'has no ports', 'give an array of at least one port')
  const network =
    document.network === undefined ? {} : object(document.network, 'Neutron', 'network')
  const mtu = network.mtu as number | undefined
  const vifs = list.map((port) => parsePort(object(port, 'Neutron', 'port'), mtu, warnings))
  return { vifs, warnings }
}

function parsePort(port: Json, mtu: number | undefined, warnings: Problem[]): Vif {
  // The command `openstack` writes an underscore where the API has a colon.
  const binding = (key: string) => port[`binding:${key}`] ?? port[`binding_${key}`]
  const what = port.id === undefined ? 'Neutron port' : `Neutron port ${String(port.id)}`
  const type = binding('vif_type')
  if (type !== 'vhostuser') {
    throw unreadable(what, 'binding:vif_type', type, typeTrouble(type), typeFix(type))
  }
  const vnicType = binding('vnic_type') ?? 'normal'
  if (vnicType !== 'normal') {
    const fix = 'create the port with vnic_type normal; others are for devices of the host (SR-IOV)'
    throw unreadable(what, 'binding:vnic_type', vnicType, 'has no vhost-user socket', fix)
  }
  const found = object(binding('vif_details') ?? {}, what, 'binding:vif_details')
  const details = shippedKeys(found, what, warnings)
  const path = (key: string) => `binding:vif_details.${key}`
  if (details.vhostuser_socket === undefined) {
    const fix = "the switch's mechanism driver has to set it; Nova refuses such a port"
    throw unreadable(what, path('vhostuser_socket'), undefined, 'is missing', fix)
  }
  if (details.vhostuser_mode === undefined) {
    const message = 'is missing: Nova takes server, so QEMU listens'
    const fix = 'set it, so that nobody has to know'
    warnings.push({ path: path('vhostuser_mode'), value: undefined, message, fix })
  }
  const plug = plugOf(details, what)
  const datapath = details.datapath_type
  if (plug === 'ovs' && datapath !== undefined && datapath !== 'netdev') {
    const message = 'has no vhost-user ports'
    const fix = 'set datapath_type=netdev on the bridge, or do not bind as vhostuser'
    throw unreadable(what, path('datapath_type'), datapath, message, fix)
  }
  const vif = newVif(
    {
      mtu,
      id: text(port.id),
      mac: text(port.mac_address),
      vmId: text(port.device_id),
      socket: details.vhostuser_socket as string,
      qemuMode: (details.vhostuser_mode ?? 'server') as 'client' | 'server',
      plug,
      bridge: text(details.bridge_name),
    },
    what,
  )
  if (plug === 'ovs' && vif.qemuMode === 'client' && !vif.socket.endsWith(`/${vif.name}`)) {
    const message = `is not where OVS makes it: a dpdkvhostuser port's socket has the port's name, ${vif.name}`
    const fix = `end the path with /${vif.name}, or bind with vhostuser_mode=server`
    warnings.push({ path: path('vhostuser_socket'), value: vif.socket, message, fix })
  }
  return vif
}

function typeTrouble(type: unknown): string {
  return type === undefined ? 'is missing' : 'is not a vhost-user port'
}

function typeFix(type: unknown): string {
  switch (type) {
    case undefined:
      return 'give the port as an administrator sees it: others are not shown its binding'
    case 'unbound':
      return 'bind the port to a host first: give it to a virtual machine'
    case 'binding_failed':
      return "look in Neutron's log why no mechanism driver bound it: is the switch's agent alive on that host?"
    default:
      return typeof type === 'string' && nearest(type, ['vhostuser']) !== undefined
        ? 'did you mean vhostuser?'
        : 'only vif_type vhostuser has a socket'
  }
}

/** The details with the spelling of the specification (`vhost_user_mode`) replaced by that of the code. */
function shippedKeys(found: Json, what: string, warnings: Problem[]): Json {
  const details: Record<string, unknown> = { ...found }
  for (const key of VHOSTUSER_KEYS) {
    const spelling = key.replace('vhostuser', 'vhost_user')
    const value = found[spelling]
    if (value === undefined) continue
    const path = `binding:vif_details.${spelling}`
    if (found[key] !== undefined && found[key] !== value) {
      const message = `contradicts ${key} = ${JSON.stringify(found[key])}`
      throw unreadable(what, path, value, message, `remove ${spelling}; Nova reads ${key} only`)
    }
    const message = 'is the spelling of the specification, which Nova does not read'
    warnings.push({ path, value, message, fix: `write ${key}` })
    details[key] = value
  }
  return details
}

function plugOf(details: Json, what: string): Plug {
  const keys = (
    ['vhostuser_fp_plug', 'vhostuser_ovs_plug', 'vhostuser_vrouter_plug'] as const
  ).filter((key) => isTrue(details[key], key, what))
  const same = (wanted: readonly PlugKey[]) =>
    wanted.length === keys.length && wanted.every((key) => keys.includes(key))
  const plug = PLUGS.find((candidate) => same(PLUG_FACTS[candidate].keys))
  if (plug !== undefined) return plug
  const path = `binding:vif_details.${keys.at(-1)}`
  const others = keys.slice(0, -1).join(' and ')
  const fix = 'one switch plugs a port: keep the key of that switch'
  throw unreadable(what, path, true, `contradicts ${others} = true`, fix)
}

function isTrue(value: unknown, key: string, what: string): boolean {
  if (value === undefined || value === null) return false
  if (typeof value === 'boolean') return value
  const path = `binding:vif_details.${key}`
  throw unreadable(what, path, value, 'is neither true nor false', 'write true or false')
}

function text(value: unknown): string | undefined {
  return value === '' || value === null ? undefined : (value as string | undefined)
}

function object(value: unknown, what: string, path: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
  throw unreadable(what, path, value, 'is not an object', 'give a port as Neutron prints it')
}
