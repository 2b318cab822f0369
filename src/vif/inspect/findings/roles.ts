import { shellQuoted } from '../../command-line.js'
import type { SwitchPort } from '../facts.js'
import { roleOf } from '../rows.js'
import type { GuestEnd } from '../wires.js'
import { pairs, subject, type VifFinding, type WireCheck } from './finding.js'
import { qemuTakes, switchTakes } from './fixes.js'

/** Who is to listen and who to connect, by what both sides were told. */
export const roles: WireCheck = (wire) => [...clashes(wire), ...lasting(wire)]

const clashes = (wire: Parameters<WireCheck>[0]): VifFinding[] =>
  pairs(wire).flatMap(({ end, port }) => {
    const role = roleOf(port)
    if (role !== end.vif.qemuMode) return []
    const { of, who } = subject(wire, end, port)
    return role === 'server'
      ? {
          ...of,
          ...{ check: 'roles', severity: 'error' },
          seen: `${who}: both sides are servers: QEMU listens (mode server), and ${port.switch} does (${port.type})`,
          why: 'nobody connects; the one that listens second fails, or has the socket of the first removed',
          fix: switchTakes('client', port),
        }
      : {
          ...of,
          ...{ check: 'roles', severity: 'error' },
          seen: `${who}: both sides are clients: QEMU connects (mode client), and ${port.switch} does (${port.type})`,
          why: 'nobody listens',
          fix: qemuTakes('server', end),
        }
  })

/** Roles that work until the switch is started again. */
function lasting(wire: Parameters<WireCheck>[0]): VifFinding[] {
  return wire.ports.flatMap((port) => {
    if (roleOf(port) === 'client') return []
    const end = wire.guests.find(({ vif }) => vif.qemuMode === 'client')
    const { of, who } = subject(wire, end, port)
    const fix = bothChange(port, end)
    if (port.switch === 'OVS')
      return {
        ...of,
        ...{ check: 'roles', severity: 'warning' },
        seen: `${who}: the type dpdkvhostuser is deprecated`,
        why: 'OVS listens: whenever it is restarted the guest has no network until it is restarted, too',
        fix,
      }
    if (end === undefined || end.vif.reconnect !== undefined) return []
    return {
      ...of,
      ...{ check: 'roles', severity: 'warning' },
      seen: `${who}: QEMU connects once, when it is started`,
      why: 'after a restart of the switch the guest has no network until it is restarted, too',
      fix,
    }
  })
}

/** A domain and its port are changed together, with a way back. */
function bothChange(port: SwitchPort, end: GuestEnd | undefined): string {
  if (end?.manager === 'libvirt') {
    const whose = port.switch === 'OVS' ? ' --ovs' : ''
    return `sudo vswitch vif migrate plan ${shellQuoted(end.vm)}${whose}`
  }
  const fix = switchTakes('client', port)
  return end === undefined ? fix : `${fix}; ${qemuTakes('server', end)}`
}
