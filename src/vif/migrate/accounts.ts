import { readFileSync } from 'node:fs'

/** Lines of `/etc/passwd` or `/etc/group`: name and number. */
function accounts(file: string): { name: string; id: number; line: string }[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [name = '', , id] = line.split(':')
      return { name, id: Number(id), line }
    })
}

export const uidOf = (name: string) => accounts('/etc/passwd').find((one) => one.name === name)?.id

export const gidOf = (name: string) => accounts('/etc/group').find((one) => one.name === name)?.id

/** Name of a group. */
export const groupOf = (gid: number) => accounts('/etc/group').find(({ id }) => id === gid)?.name

const DEFAULT_USERS = ['libvirt-qemu', 'qemu', 'root']

/** The user that libvirt starts QEMU as, by its `qemu.conf`. */
export function qemuUser(conf = '/etc/libvirt/qemu.conf'): string {
  const [, user] = textOf(conf).match(/^\s*user\s*=\s*"\+?([^"]+)"/m) ?? []
  const given = user === undefined ? [] : [user]
  return [...given, ...DEFAULT_USERS].find((name) => uidOf(name) !== undefined) ?? 'root'
}

/** As whom a process acts; undefined where there is none. */
export function actsAs(pid: number): { uid: number; gids: number[] } | undefined {
  const status = textOf(`/proc/${pid}/status`)
  const numbers = (key: string) =>
    (new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '').split(/\s+/).map(Number)
  const [, uid] = numbers('Uid')
  const [, gid] = numbers('Gid')
  if (uid === undefined || gid === undefined) return undefined
  return { uid, gids: [gid, ...numbers('Groups')] }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
