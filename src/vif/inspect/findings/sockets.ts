import { shellQuoted } from '../../command-line.js'
import { processName, roleOf } from '../rows.js'
import type { Wire } from '../wires.js'
import { subject, type VifFinding, type WireCheck } from './finding.js'
import { restart } from './fixes.js'

/** The file of the socket, and who listens on it. */
export const sockets: WireCheck = (wire) => [
  ...theFile(wire),
  ...theListener(wire),
  ...thePlace(wire),
]

function theFile(wire: Wire): VifFinding[] {
  const { file, isListening, guests, ports, socket } = wire
  const end = guests[0]
  const { of, who } = subject(wire, end, ports[0])
  const path = shellQuoted(socket)
  if (file?.kind === 'other' || file?.kind === 'folder') {
    const seen = `${who}: ${socket} is no socket`
    const why = 'it is in the way: nobody can listen there'
    return [
      { ...of, check: 'socket', severity: 'error', seen, why, fix: `sudo mv ${path} ${path}.old` },
    ]
  }
  if (file?.kind === 'socket' && !isListening) {
    const server = guests.find(({ vif }) => vif.qemuMode === 'server')
    const isOff = server !== undefined && !server.isRunning
    return [
      {
        ...of,
        ...{ check: 'socket', severity: isOff ? 'note' : 'warning' },
        seen: `${who}: ${socket} is stale: a socket on which nobody listens`,
        why: isOff
          ? 'it is left over from the last run; QEMU replaces it if its user may'
          : 'it is left over from who listened there; who connects is refused',
        fix: `sudo rm ${path}`,
      },
    ]
  }
  if (file?.kind === 'missing' && isListening) {
    const listener = wire.listeners.map(processName).join(', ') || 'somebody'
    const isGuest = end !== undefined && end.vif.qemuMode === 'server'
    return [
      {
        ...of,
        ...{ check: 'socket', severity: wire.isConnected ? 'warning' : 'error' },
        seen: `${who}: ${listener} listens on ${socket}, and there is no such file`,
        why: 'it was removed, or is in a mount namespace of its own (PrivateTmp=, a container): nobody can connect to it any more',
        fix: isGuest && end.manager !== undefined ? restart(end) : `start ${listener} again`,
      },
    ]
  }
  return []
}

/** Somebody else than who is to listen, or more than one. */
function theListener(wire: Wire): VifFinding[] {
  const { listeners, guests, ports } = wire
  const { of, who } = subject(wire, guests[0], ports[0])
  const isTold =
    guests.some(({ vif, process }) => vif.qemuMode === 'server' && process === undefined) ||
    ports.some((port) => roleOf(port) === 'server' && port.pid === undefined)
  const expected = new Set([
    ...guests.filter(({ vif }) => vif.qemuMode === 'server').map(({ process }) => process?.pid),
    ...ports.filter((port) => roleOf(port) === 'server').map(({ pid }) => pid),
  ])
  const isKnown = isTold || hasOtherGuest(wire)
  const strangers = isKnown ? [] : listeners.filter(({ pid }) => !expected.has(pid))
  return strangers.map((process) => ({
    ...of,
    ...{ check: 'socket', severity: 'error' },
    seen: `${who}: ${processName(process)} (user ${process.user.name}) listens on ${wire.socket}`,
    why: 'it is neither the QEMU nor the switch that are told to listen there',
    fix: `sudo kill ${process.pid}  # if it is not wanted; else give one of them another path`,
  }))
}

/** Not only a QEMU is a guest: a switch is connected to who listens, and none of the known guests claims the socket. */
function hasOtherGuest({ guests, ports }: Wire): boolean {
  const isServed = ports.some((port) => roleOf(port) === 'client' && port.isConnected === true)
  return guests.length === 0 && isServed
}

/** Folders that are not meant for sockets which QEMU makes. */
function thePlace(wire: Wire): VifFinding[] {
  const end = wire.guests.find(({ vif }) => vif.qemuMode === 'server')
  const [, place] = wire.socket.match(/^\/(run\/openvswitch|tmp|var\/tmp)\//) ?? []
  if (end === undefined || place === undefined) return []
  const { of, who } = subject(wire, end, wire.ports[0])
  const isOvs = place === 'run/openvswitch'
  return [
    {
      ...of,
      ...{ check: 'socket', severity: 'note' },
      seen: `${who}: QEMU makes its socket in /${place}, not in a folder for such sockets`,
      why: isOvs
        ? "that is the folder of OVS's own control sockets: QEMU's user has to be able to write to it, and systemd empties it when OVS stops"
        : 'a service with PrivateTmp=yes does not see it, and any user can take the path',
      fix:
        'sudo install -d -m 2775 -g hugetlbfs /var/lib/vhost_sockets' +
        (isOvs
          ? '  # and in ml2_conf.ini: [ovs] vhostuser_socket_dir = /var/lib/vhost_sockets'
          : ''),
    },
  ]
}
