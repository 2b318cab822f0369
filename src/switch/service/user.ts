/**
 * The user that a process started by root goes on as, once what needs root is done.
 *
 * @packageDocumentation
 */
import { spawnSync } from 'node:child_process'
import type { Change } from '../config/index.js'

/** `--user` cannot be followed, or a change needs the rights that were given up by it. */
export class UserError extends Error {
  override readonly name = 'UserError'
  readonly code = 'ERR_USER'
}

/** Who a process goes on as. */
export interface User {
  readonly uid: number
  readonly gid: number
  /** All groups, `gid` included. */
  readonly groups: readonly number[]
}

/**
 * Reads what `--user` was given.
 *
 * @param given - `USER` or `USER:GROUP`, names or numbers; as ovs-vswitchd(8) has it
 * @throws UserError when this is not root, or there is no such user or group
 */
export function userOf(given: string): User {
  const refuse = (why: string) => new UserError(`--user ${given}: ${why}`)
  if (process.geteuid?.() !== 0) {
    throw refuse('only root can go on as another user; start it as root, or leave --user away')
  }
  const [user = '', group, ...more] = given.split(':')
  if (user === '' || group === '' || more.length > 0) throw refuse('give USER or USER:GROUP')
  const known = entry('passwd', user)
  const uid = Number(known?.[2] ?? user)
  if (Number.isNaN(uid)) throw refuse(`there is no user ${user}; name one that there is`)
  if (uid === 0) throw refuse('that is root; name another user')
  if (group === undefined && known === undefined)
    throw refuse(`no group is known of user ${user}; give ${user}:GROUP`)
  const gid = Number(group === undefined ? known?.[3] : (entry('group', group)?.[2] ?? group))
  if (Number.isNaN(gid)) throw refuse(`there is no group ${group}; name one that there is`)
  const groups = known === undefined ? [] : groupsOf(known[0] as string)
  return { uid, gid, groups: [...new Set([gid, ...groups])] }
}

/** The fields of an entry of passwd(5) or group(5), wherever the system has it from. */
function entry(database: 'passwd' | 'group', key: string): string[] | undefined {
  const { status, stdout, error } = spawnSync('getent', [database, key], { encoding: 'utf8' })
  if (error !== undefined) throw error
  return status === 0 ? stdout.trim().split(':') : undefined
}

function groupsOf(user: string): number[] {
  const { stdout, error } = spawnSync('id', ['-G', '--', user], { encoding: 'utf8' })
  if (error !== undefined) throw error
  return stdout.trim().split(' ').map(Number)
}

/** Makes all threads of the process, those of DPDK too, that user's, for good. Main thread only. */
export function becomeUser({ uid, gid, groups }: User): void {
  process.setgroups?.(groups)
  process.setgid?.(gid)
  process.setuid?.(uid)
}

/** @throws UserError for a change that only root can make */
export function refuseForRoot(change: Change, user: User): void {
  const what = needOf(change, user)
  if (what === undefined) return
  throw new UserError(
    `${what} needs root, which this process gave up by --user; restart it with the change in its configuration`,
  )
}

function needOf(change: Change, { uid, gid }: User): string | undefined {
  if (change.type === 'localAdded') return `bridge ${change.bridge}: its local port`
  if (change.type !== 'portAdded') return undefined
  const { port } = change.port
  if (port.type === 'dpdk') return `port ${port.name}: a device of DPDK's`
  if (port.type !== 'dpdkvhostuser') return undefined
  const isOthers =
    (port.uid !== undefined && Number(port.uid) !== uid) ||
    (port.gid !== undefined && Number(port.gid) !== gid)
  return isOthers ? `port ${port.name}: a socket of another user or group` : undefined
}
