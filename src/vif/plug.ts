/**
 * Who plugs a port on the host. Names are os-vif's plugins and the keys of `binding:vif_details`, after Nova's
 * `nova/network/os_vif_util.py` and neutron-lib's `api/definitions/portbindings.py`.
 */

/** Ways to plug: `generic` asks nothing of the host, so that the switch acts by itself; the others go through a plugin. */
export const PLUGS = ['generic', 'ovs', 'fp', 'fp-ovs', 'vrouter'] as const

/** One of {@link PLUGS}. */
export type Plug = (typeof PLUGS)[number]

/** Keys of `binding:vif_details` that choose the plug. */
export type PlugKey = 'vhostuser_ovs_plug' | 'vhostuser_fp_plug' | 'vhostuser_vrouter_plug'

interface PlugFacts {
  /** The plugin of os-vif that is called. */
  readonly plugin: string
  /** What the name of the device begins with. */
  readonly prefix: 'tap' | 'vhu'
  /** The keys that are true. */
  readonly keys: readonly PlugKey[]
}

export const PLUG_FACTS: Readonly<Record<Plug, PlugFacts>> = {
  generic: { plugin: 'noop', prefix: 'tap', keys: [] },
  ovs: { plugin: 'ovs', prefix: 'vhu', keys: ['vhostuser_ovs_plug'] },
  fp: { plugin: 'vhostuser_fp', prefix: 'tap', keys: ['vhostuser_fp_plug'] },
  'fp-ovs': {
    plugin: 'vhostuser_fp',
    prefix: 'tap',
    keys: ['vhostuser_fp_plug', 'vhostuser_ovs_plug'],
  },
  vrouter: { plugin: 'contrail_vrouter', prefix: 'tap', keys: ['vhostuser_vrouter_plug'] },
}

/** `NIC_NAME_LEN` of Nova, a character less than Linux allows. */
const NIC_NAME_LENGTH = 14

/** Name of the device of a Neutron port, and of OVS's port: `vhu` (OVS) or `tap`, and the first eleven characters of its id. Nova's
 * `nic` is seen only where no Neutron is: `nova/network/neutron.py` names every device `tap...` (Nova 26). */
export function vifName(id: string, plug: Plug): string {
  return `${PLUG_FACTS[plug].prefix}${id}`.slice(0, NIC_NAME_LENGTH)
}

/**
 * Where the socket of a Neutron port is by the rules of its switch: named after the device with OVS (Neutron's
 * `[ovs] vhostuser_socket_dir`), after the whole port id with a generic switch.
 *
 * @param folder - such as `/var/lib/vhost_sockets`
 */
export function vifSocketPath(id: string, plug: Plug, folder: string): string {
  return `${folder.replace(/\/+$/, '')}/${plug === 'ovs' ? vifName(id, plug) : id}`
}
