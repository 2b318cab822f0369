import { dirname } from 'node:path'
import type { Finding } from '../finding.js'
import type { Machine, ProcessInfo } from '../machine.js'
import type { Subject, SubjectPort } from '../subject.js'
import { isBelow } from './platform.js'

/** `server=on` with multiple queues, and `reconnect=` of sockets. */
const OLDEST_QEMU = [2, 7]
const READ = 4
const WRITE = 2
const SEARCH = 1

/** The sockets of ports: folders, owners, modes, and who listens. */
export function sockets(machine: Machine, { ports = [] }: Subject): Finding[] {
  const users = usersOf(qemus(machine), machine)
  return ports.flatMap((port) => {
    if (port.type === 'dpdk' || port.path === undefined) return []
    const found = [...folder(machine, port, port.path, users), ...socket(machine, port, port.path)]
    const seen = `${port.name}: ${port.path}`
    return found.length > 0 ? found : [{ check: 'sockets', severity: 'ok', seen } as const]
  })
}

interface User {
  readonly uid: number
  readonly name: string
}

function usersOf(processes: readonly ProcessInfo[], machine: Machine): User[] {
  return [...new Set(processes.map(({ uid }) => uid))].map((uid) => ({
    uid,
    name: machine.nameOfUser(uid),
  }))
}

function folder(
  machine: Machine,
  { name, type, createFolder, mode, uid, gid }: SubjectPort,
  path: string,
  users: readonly User[],
): Finding[] {
  const at = dirname(path)
  const stat = machine.stat(at)
  const isServer = type === 'dpdkvhostuser'
  if (machine.isHidden(path)) {
    const seen = `${name}: user ${machine.nameOfUser(machine.uid)} may not look into ${at}`
    const why = 'what is there is not known; a switch that runs as this user finds no socket there'
    return [{ check: 'sockets', severity: 'warning', seen, why, fix: 'sudo vswitch doctor' }]
  }
  if (stat === undefined) {
    if (createFolder) return []
    const seen = `${name}: the folder ${at} does not exist`
    const fix = `sudo mkdir -p ${at}`
    return isServer
      ? [{ check: 'sockets', severity: 'error', seen, why: 'the port cannot listen there', fix }]
      : [{ check: 'sockets', severity: 'note', seen, why: 'the port waits until it does', fix }]
  }
  const findings: Finding[] = []
  const rights = `${(stat.mode & 0o7777).toString(8)} ${machine.nameOfUser(stat.uid)}:${machine.nameOfGroup(stat.gid)}`
  const own = SEARCH | (isServer ? WRITE : 0)
  if (machine.uid !== 0 && !may(stat, machine.uid, machine.gids, own))
    findings.push({
      check: 'sockets',
      severity: 'error',
      seen: `${name}: ${at} (${rights}) is not for user ${machine.nameOfUser(machine.uid)}`,
      why: isServer ? 'the port cannot listen there' : 'the port cannot connect there',
      fix: `sudo setfacl -m u:${machine.nameOfUser(machine.uid)}:${isServer ? 'rwx' : 'rx'} ${at}`,
    })
  for (const user of users) {
    if (user.uid === 0 || user.uid === machine.uid) continue
    const groups = groupsOf(machine, user)
    if (!may(stat, user.uid, groups, SEARCH | (isServer ? 0 : WRITE)))
      findings.push({
        check: 'sockets',
        severity: 'warning',
        seen: `${name}: ${at} (${rights}) is not for ${user.name}, as whom QEMU runs`,
        why: `QEMU cannot ${isServer ? 'connect' : 'listen'} there`,
        fix: `sudo setfacl -m u:${user.name}:${isServer ? 'rx' : 'rwx'} ${at}`,
      })
    if (isServer && mode === undefined && uid === undefined && gid === undefined)
      findings.push({
        check: 'sockets',
        severity: 'warning',
        seen: `${name}: the socket belongs to ${machine.nameOfUser(machine.uid)} alone; QEMU runs as ${user.name}`,
        why: 'to connect takes write permission on the socket',
        fix: `vswitch port set ${name} uid=${user.name} mode=0600  # and the same in the configuration`,
      })
  }
  if ((stat.mode & 0o1002) === 0o0002)
    findings.push({
      check: 'sockets',
      severity: 'warning',
      seen: `${name}: everybody may write to ${at} (${rights})`,
      why: "any user can put a socket in the place of the guest's and read its traffic",
      fix: `sudo chmod o-w ${at}`,
    })
  return findings
}

function socket(machine: Machine, { name, type }: SubjectPort, path: string): Finding[] {
  const stat = machine.stat(path)
  if (stat === undefined) return []
  if (!stat.isSocket())
    return [
      {
        check: 'sockets',
        severity: 'error',
        seen: `${name}: ${path} is no socket`,
        why: 'it is in the way, and nothing of others is removed',
        fix: `sudo mv ${path} ${path}.old`,
      },
    ]
  if (type === 'dpdkvhostuserclient' && !isOpen(machine, path))
    return [
      {
        check: 'sockets',
        severity: 'note',
        seen: `${name}: nobody listens on ${path} any more`,
        why: 'what is there is left over from a QEMU that ended; the port waits',
        fix: 'start the guest',
      },
    ]
  return []
}

/** What runs the guests. */
export function guests(machine: Machine, { ports = [] }: Subject): Finding[] {
  const all = qemus(machine)
  const findings: Finding[] = []
  const commands = [...new Set(all.map(({ args }) => args[0] as string))]
  for (const command of commands.length > 0 ? commands : ['qemu-system-x86_64']) {
    const version = /version (\S+)/.exec(machine.run(command, '--version'))?.[1]
    if (version === undefined) continue
    const users = usersOf(
      all.filter(({ args }) => args[0] === command),
      machine,
    )
    const seen = `${version}${users.length > 0 ? `, runs as ${users.map((user) => user.name).join(', ')}` : ', none runs'}`
    findings.push(
      isBelow(version, OLDEST_QEMU)
        ? {
            check: 'QEMU',
            severity: 'error',
            seen,
            why: 'older ones do not connect vhost-user again',
            fix: 'sudo apt-get install qemu-system-x86',
          }
        : { check: 'QEMU', severity: 'ok', seen },
    )
  }
  for (const port of ports) {
    if (port.path === undefined) continue
    const path = port.path
    const user = all.find(({ args }) => args.some((arg) => arg.includes(`path=${path}`)))
    if (user !== undefined) findings.push(...guest(machine, port, path, user))
  }
  if (findings.length > 0) return findings
  const seen = 'none is installed, none runs'
  return [{ check: 'QEMU', severity: 'note', seen, why: 'nothing can be said of guests' }]
}

/** A QEMU that has the socket of a port in its command line. */
function guest(machine: Machine, port: SubjectPort, path: string, { pid, uid, args }: ProcessInfo) {
  const findings: Finding[] = []
  const who = `process ${pid} (user ${machine.nameOfUser(uid)}) of port ${port.name}`
  const chardev = args.find((arg) => arg.includes(`path=${path}`)) ?? ''
  const listens = /(^|,)server(=on|,|$)/.test(chardev)
  if (listens === (port.type === 'dpdkvhostuser'))
    findings.push({
      check: 'QEMU',
      severity: 'error',
      seen: `${who} ${listens ? 'listens' : 'connects'}, and so does the port (${port.type})`,
      why: 'one side has to listen and the other to connect',
      fix: listens
        ? `make ${port.name} a dpdkvhostuserclient`
        : `add server=on to its -chardev, or make ${port.name} a dpdkvhostuser`,
    })
  const memory = args.filter((arg) => arg.startsWith('memory-backend'))
  if (
    !memory.some((arg) => /share=(on|yes|true)/.test(arg) || arg.startsWith('memory-backend-memfd'))
  )
    findings.push({
      check: 'QEMU',
      severity: 'error',
      seen: `${who} has no shared memory`,
      why: "the switch maps the guest's memory; without share=on no frame comes through",
      fix: '-object memory-backend-memfd,id=mem,size=SIZE,share=on -numa node,memdev=mem  # libvirt: <memoryBacking><access mode="shared"/>',
    })
  if (port.type === 'dpdkvhostuser' && !listens && !/reconnect(-ms)?=[1-9]/.test(chardev))
    findings.push({
      check: 'QEMU',
      severity: 'warning',
      seen: `${who} does not connect again`,
      why: 'after a restart of the switch the guest has no network until it is restarted, too',
      fix: 'add reconnect=1 to its -chardev, or let QEMU listen: server=on with a dpdkvhostuserclient port',
    })
  const seen = `${who}`
  return findings.length > 0 ? findings : [{ check: 'QEMU', severity: 'ok', seen } as const]
}

function qemus(machine: Machine): ProcessInfo[] {
  return machine
    .processes()
    .filter(({ args }) => /(^|\/)(qemu-system-\w+|qemu-kvm|kvm)$/.test(args[0] ?? ''))
}

/** Whether a process has a socket at that path open. */
function isOpen(machine: Machine, path: string): boolean {
  const table = machine.read('/proc/net/unix')
  return table === undefined || table.split('\n').some((line) => line.endsWith(` ${path}`))
}

function groupsOf(machine: Machine, { name }: User): number[] {
  const own = machine.read('/etc/passwd')?.match(new RegExp(`^${name}:[^:]*:\\d+:(\\d+)`, 'm'))?.[1]
  const others = (machine.read('/etc/group') ?? '').split('\n').flatMap((line) => {
    const [, , gid, members = ''] = line.split(':')
    return members.split(',').includes(name) ? [Number(gid)] : []
  })
  return own === undefined ? others : [Number(own), ...others]
}

function may(
  { uid, gid, mode }: { uid: number; gid: number; mode: number },
  user: number,
  groups: readonly number[],
  wanted: number,
): boolean {
  const shift = user === uid ? 6 : groups.includes(gid) ? 3 : 0
  return ((mode >> shift) & (wanted & (READ | WRITE | SEARCH))) === wanted
}
