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

/** Owners and modes do not matter to who has it; OVS gives it up even as root (capabilities(7)). */
const CAP_DAC_OVERRIDE = 1n << 1n

/** As whom a process acts; undefined where there is none. */
export function actsAs(
  pid: number,
): { uid: number; gids: number[]; overrides: boolean } | undefined {
  const status = textOf(`/proc/${pid}/status`)
  const numbers = (key: string) =>
    (new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '').split(/\s+/).map(Number)
  const [, uid] = numbers('Uid')
  const [, gid] = numbers('Gid')
  if (uid === undefined || gid === undefined) return undefined
  const [, effective = '0'] = /^CapEff:\s*(\S+)$/m.exec(status) ?? []
  const overrides = (BigInt(`0x${effective}`) & CAP_DAC_OVERRIDE) !== 0n
  return { uid, gids: [gid, ...numbers('Groups')], overrides }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
