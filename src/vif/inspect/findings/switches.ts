import { shellQuoted } from '../../command-line.js'
import type { HostFacts } from '../facts.js'
import type { VifFinding } from './finding.js'

/** What OVS says is wrong with its ports, and what is wrong with it as a whole. */
export function switches({ ovs }: HostFacts): VifFinding[] {
  if (ovs === undefined) return []
  const found: VifFinding[] = []
  if (ovs.dpdk === false && ovs.ports.length > 0)
    found.push({
      ...{ check: 'OVS', severity: 'error' },
      seen: 'DPDK is not initialized, and there are ports that need it',
      why: 'none of them works: "Address family not supported by protocol"',
      fix: 'ovs-vsctl set Open_vSwitch . other_config:dpdk-init=true && sudo systemctl restart openvswitch-switch  # elsewhere: openvswitch',
    })
  for (const [bridge, type] of ovs.kernelBridges)
    found.push({
      ...{ check: 'OVS', severity: 'error' },
      seen: `the bridge ${bridge} has the datapath ${type}, and vhost-user ports`,
      why: 'only the datapath netdev can have them',
      fix: `ovs-vsctl set Bridge ${shellQuoted(bridge)} datapath_type=netdev`,
    })
  for (const { name, socket, reason } of ovs.ports) {
    if (reason === undefined) continue
    found.push({
      ...{ port: name, socket, check: 'OVS', severity: 'error' },
      seen: `interface ${name}: ${reason}`,
      why: 'OVS could not set it up',
      fix: `grep -F ${shellQuoted(name)} /var/log/openvswitch/ovs-vswitchd.log | tail`,
    })
  }
  return found
}
