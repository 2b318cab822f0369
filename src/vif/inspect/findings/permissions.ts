import { dirname } from 'node:path'
import { may, SEARCH, WRITE } from '../access.js'
import type { FileFacts, HostFacts, SwitchPort, User } from '../facts.js'
import { octal, roleOf } from '../rows.js'
import type { GuestEnd, Wire } from '../wires.js'
import { pairs, subject, type VifFinding, type WireCheck } from './finding.js'
import { switchTakes } from './fixes.js'

/** As whom a side acts, and what it is called. */
interface Side {
  readonly user: User
  readonly name: string
}

/** Whether who is to listen can make the socket, and who is to connect may. */
export const permissions: WireCheck = (wire, facts) => [
  ...openToAll(wire),
  ...(isWorking(wire) ? [] : pairs(wire)).flatMap(({ end, port }) => {
    if (roleOf(port) === end.vif.qemuMode) return []
    const qemu = end.user && { user: end.user, name: 'QEMU' }
    const process = facts.processes.get(port.pid ?? -1)
    const peer = process && { user: process.user, name: port.switch }
    const [server, client] = roleOf(port) === 'client' ? [qemu, peer] : [peer, qemu]
    return between(wire, facts, end, port, server, client)
  }),
]

/** What is connected may, evidently. */
function isWorking({ isConnected, ports }: Wire): boolean {
  return isConnected || ports.some((port) => port.isConnected)
}

function between(
  wire: Wire,
  facts: HostFacts,
  end: GuestEnd,
  port: SwitchPort,
  server: Side | undefined,
  client: Side | undefined,
): VifFinding[] {
  const { of, who } = subject(wire, end, port)
  const found = (seen: string, why: string, fix: string): VifFinding => ({
    ...of,
    ...{ check: 'permissions', severity: 'error', seen: `${who}: ${seen}`, why, fix },
  })
  const missing = wire.folders.find(({ kind }) => kind === 'missing')
  if (missing !== undefined) {
    const group = server && commonGroup(facts, server.user, client?.user)
    const owner = server === undefined ? '' : `-o ${server.user.name} -g ${group} -m 2775 `
    const why = `${server?.name ?? 'nobody'} cannot listen there`
    return [
      found(
        `the folder ${missing.path} does not exist`,
        why,
        `sudo install -d ${owner}${dirname(wire.socket)}`,
      ),
    ]
  }
  const findings: VifFinding[] = []
  for (const side of [server, client]) {
    const closed = side && wire.folders.find((one) => isKnown(one) && !may(one, side.user, SEARCH))
    if (closed === undefined) continue
    const seen = `${closed.path} (${rights(closed)}) may not be entered by ${side?.user.name}, as whom ${side?.name} runs`
    const why = `${side?.name} cannot ${side === server ? 'listen' : 'connect'} below it`
    findings.push(found(seen, why, `sudo setfacl -m u:${side?.user.name}:x ${closed.path}`))
  }
  const folder = wire.folders.at(-1)
  if (server && folder && isKnown(folder) && !wire.isListening) {
    if (may(folder, server.user, SEARCH) && !may(folder, server.user, WRITE | SEARCH)) {
      const seen = `${folder.path} (${rights(folder)}) may not be written to by ${server.user.name}, as whom ${server.name} runs`
      const fix = `sudo setfacl -m u:${server.user.name}:rwx ${folder.path}`
      findings.push(found(seen, `${server.name} cannot make the socket there`, fix))
    }
  }
  if (client === undefined || findings.length > 0) return findings
  const { file } = wire
  if (file?.kind === 'socket' && wire.isListening && !may(file, client.user, WRITE)) {
    const shared = client.user.gids.includes(file.gid)
    const trouble = shared
      ? `the mode ${octal(file)} of the socket lets its group ${file.group} not write`
      : `the socket is of ${file.owner}:${file.group} (${octal(file)}), and ${client.user.name} is not in that group`
    const why = `to connect takes write permission: ${client.name}, which runs as ${client.user.name}, is refused`
    findings.push(found(trouble, why, openSocket(facts, port, file, client, server)))
  } else if (server && !wire.isListening && !willShare(server.user, client.user, folder)) {
    const group = facts.accounts.nameOfGroup(groupOfNew(server.user, folder))
    const seen = `the socket will be of ${server.user.name}:${group}, and ${client.user.name}, as whom ${client.name} runs, is not in that group`
    const why = `to connect takes write permission: ${client.name} will be refused`
    findings.push(found(seen, why, joinGroup(facts, client, server, group)))
  }
  return findings
}

/** As libvirt makes sockets: for the group, too. */
function willShare(server: User, client: User, folder: FileFacts | undefined): boolean {
  return (
    client.overrides ||
    client.uid === server.uid ||
    client.gids.includes(groupOfNew(server, folder)) ||
    // A default list gives what it says.
    (folder?.acl ?? []).length > 0
  )
}

/** A folder with the set-group-id bit hands its group on. */
function groupOfNew({ gids }: User, folder: FileFacts | undefined): number {
  return folder !== undefined && (folder.mode & 0o2000) !== 0 ? folder.gid : (gids[0] ?? -1)
}

function openSocket(
  facts: HostFacts,
  port: SwitchPort,
  file: FileFacts,
  client: Side,
  server: Side | undefined,
): string {
  if (port.type === 'dpdkvhostuser' && port.switch !== 'OVS')
    return `vswitch port set ${port.name} uid=${client.user.name} mode=0600  # and the same in the configuration`
  if (port.type === 'dpdkvhostuser')
    return `sudo setfacl -m u:${client.user.name}:rw ${file.path}  # until OVS is restarted; for good: ${switchTakes('client', port)}`
  const now = `sudo setfacl -m u:${client.user.name}:rw ${file.path}`
  if (client.user.gids.includes(file.gid)) return `sudo chmod g+w ${file.path}`
  return `${now}  # until the guest is started again; for good: ${joinGroup(facts, client, server, file.group)}`
}

/** How both come to have a group together. */
function joinGroup(
  facts: HostFacts,
  client: Side,
  server: Side | undefined,
  group: string,
): string {
  if (server?.name === 'QEMU' && facts.qemuConf !== undefined) {
    const wanted = commonGroup(facts, client.user, server.user)
    return `sudo sed -i -e '$a group = "${wanted}"' -e '/^#*group = /d' ${facts.qemuConf.file} && sudo systemctl restart libvirtd`
  }
  return `sudo usermod -aG ${group} ${client.user.name}, and start ${client.name} again`
}

/** A group that both have, best `hugetlbfs`, else the first of one. */
function commonGroup(facts: HostFacts, one: User, other: User | undefined): string {
  const usual = facts.accounts.gidOf('hugetlbfs')
  const shared = one.gids.filter((gid) => other === undefined || other.gids.includes(gid))
  const gid = [...shared, ...one.gids].find((candidate) => candidate === usual)
  return facts.accounts.nameOfGroup(gid ?? shared.find((any) => any !== 0) ?? one.gids[0] ?? 0)
}

function isKnown({ kind }: FileFacts): boolean {
  return kind !== 'forbidden' && kind !== 'missing'
}

function rights(file: FileFacts): string {
  return `${file.owner}:${file.group} ${octal(file)}`
}

function openToAll(wire: Wire): VifFinding[] {
  const folder = wire.folders.at(-1)
  if (folder === undefined || (folder.mode & 0o1002) !== 0o0002) return []
  const { of, who } = subject(wire, wire.guests[0], wire.ports[0])
  return [
    {
      ...of,
      ...{ check: 'permissions', severity: 'warning' },
      seen: `${who}: everybody may write to ${folder.path} (${rights(folder)})`,
      why: "any user can put a socket in the place of the guest's and read its traffic",
      fix: `sudo chmod o-w ${folder.path}`,
    },
  ]
}
