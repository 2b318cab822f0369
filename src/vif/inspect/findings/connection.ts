import { shellQuoted } from '../../command-line.js'
import { ovsVsctlCommand } from '../../ovs.js'
import type { HostFacts } from '../facts.js'
import type { GuestEnd, Wire } from '../wires.js'
import { subject, type VifFinding, type WireCheck } from './finding.js'

/** Whether each guest has one port of a switch, and that port one guest. */
export const connection: WireCheck = (wire, facts) => [
  ...shared(wire),
  ...wire.guests.flatMap((end) => alone(wire, end, facts)),
  ...idle(wire),
]

function shared(wire: Wire): VifFinding[] {
  const { guests, ports, socket } = wire
  const { of, who } = subject(wire, guests[0], ports[0])
  const running = guests.filter(({ isRunning }) => isRunning)
  const found: VifFinding[] = []
  if (running.length > 1)
    found.push({
      ...of,
      ...{ check: 'socket', severity: 'error' },
      seen: `${who}: ${running.map(({ vm }) => vm).join(' and ')} have the same socket, ${socket}`,
      why: 'one of them has the port, or takes it from the other; the other has none',
      fix: 'give each port of each guest a path of its own',
    })
  if (ports.length > 1) {
    const names = ports.map((port) => `${port.switch} ${port.name}`)
    const [second] = ports.filter((port) => port.switch !== 'OVS').concat(ports.slice(1))
    found.push({
      ...of,
      ...{ check: 'socket', severity: 'error' },
      seen: `${who}: ${names.join(' and ')} have the same socket, ${socket}`,
      why: 'the first that comes has the guest',
      fix:
        second?.switch === 'OVS'
          ? `ovs-vsctl del-port ${shellQuoted(second.name)}`
          : `vswitch port delete ${shellQuoted(second?.name ?? '')}  # or the one of the other`,
    })
  }
  return found
}

/** A guest whose port no switch has. */
function alone(wire: Wire, end: GuestEnd, facts: HostFacts): VifFinding[] {
  if (wire.ports.length > 0 || !end.isRunning || wire.isConnected) return []
  const switches = [...new Set([...facts.ports.map((port) => port.switch)])]
  if (facts.ovs === undefined && switches.length === 0) return []
  const { of, who } = subject(wire, end)
  const type = end.vif.qemuMode === 'server' ? 'dpdkvhostuserclient' : 'dpdkvhostuser'
  const ours = `vswitch port add ${shellQuoted(end.vif.name)} type=${type} path=${shellQuoted(wire.socket)}`
  return [
    {
      ...of,
      ...{ check: 'switch', severity: 'warning' },
      seen: `${who}: no switch has a port with the socket ${wire.socket}`,
      why: 'the guest has no network there',
      fix: facts.ovs === undefined ? ours : ovsVsctlCommand(end.vif),
    },
  ]
}

/** Both sides are there, and not connected: what the switch says of it. */
function idle(wire: Wire): VifFinding[] {
  const [end] = wire.guests.filter(({ isRunning }) => isRunning)
  const [port] = wire.ports
  if (end === undefined || port === undefined) return []
  const { of, who } = subject(wire, end, port)
  // OVS calls a port disconnected until the guest's driver is up.
  const isIdle =
    port.isConnected === false || port.state === 'connected' || port.state === 'stopped'
  if (wire.isConnected && isIdle && (port.switch !== 'OVS' || port.isConnected === false))
    return [
      {
        ...of,
        ...{ check: 'guest', severity: 'note' },
        seen: `${who}: both sides are connected, and the guest does not use the port (${port.switch}: ${port.state})`,
        why: 'it is starting, paused, or has no driver for the card; or the switch refused what it asks for',
        fix: end.manager === undefined ? 'in the guest: ip link' : `virsh domstate ${end.vm}`,
      },
    ]
  if (wire.isConnected || port.isConnected) return []
  if (port.state === 'down') {
    const fix =
      port.switch === 'OVS'
        ? `ovs-ofctl mod-port ${shellQuoted(port.bridge ?? 'BRIDGE')} ${shellQuoted(port.name)} up`
        : `vswitch port set ${shellQuoted(port.name)} adminState=up`
    const why = 'the guest sees no carrier'
    return [
      { ...of, check: 'switch', severity: 'warning', seen: `${who}: the port is down`, why, fix },
    ]
  }
  const why = port.reason ?? 'neither side is told to do anything else'
  return [{ ...of, check: 'socket', severity: 'warning', seen: `${who}: not connected`, why }]
}
