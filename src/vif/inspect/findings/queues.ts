import { pairs, subject, type VifFinding, type WireCheck } from './finding.js'

/** Queue pairs and MTU on both sides, where both are known. */
export const queues: WireCheck = (wire) =>
  pairs(wire).flatMap(({ end, port }): VifFinding[] => {
    const { of, who } = subject(wire, end, port)
    const { queues: wanted, mtu } = end.vif
    const found: VifFinding[] = []
    if (port.queues !== undefined && wanted > port.queues)
      found.push({
        ...of,
        ...{ check: 'queues', severity: 'error' },
        seen: `${who}: QEMU has ${count(wanted)}, ${port.switch} ${count(port.queues)}`,
        why: 'QEMU refuses a switch with fewer: "you are asking more queues than supported"',
        fix: `vswitch port set ${port.name} queues=${wanted}  # and the same in the configuration`,
      })
    else if (port.usedQueues !== undefined && port.usedQueues < wanted)
      found.push({
        ...of,
        ...{ check: 'queues', severity: 'note' },
        seen: `${who}: the guest uses ${port.usedQueues} of ${count(wanted)}`,
        why: 'a queue is the most that one CPU of the guest and one of the switch can work on',
        fix: `in the guest: ethtool -L INTERFACE combined ${wanted}`,
      })
    if (mtu !== undefined && port.mtu !== undefined && mtu > port.mtu)
      found.push({
        ...of,
        ...{ check: 'MTU', severity: 'warning' },
        seen: `${who}: the guest is told an MTU of ${mtu}, ${port.switch} takes ${port.mtu}`,
        why: 'longer frames are dropped',
        fix:
          port.switch === 'OVS'
            ? `ovs-vsctl set Interface ${port.name} mtu_request=${mtu}`
            : `vswitch port set ${port.name} mtu=${mtu}  # and the same in the configuration`,
      })
    return found
  })

function count(pairs: number): string {
  return pairs === 1 ? '1 queue pair' : `${pairs} queue pairs`
}
