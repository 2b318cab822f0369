import { basename, dirname, join } from 'node:path'
import type { FileFacts } from '../facts.js'
import { type Host, isForbidden, optional } from '../host.js'
import type { Accounts } from './accounts.js'

/** The path without links on the way, as far as these can be followed: `/var/run/x` is `/run/x`. */
export class RealPaths {
  readonly #folders = new Map<string, string>()

  constructor(readonly host: Host) {}

  of(path: string): string {
    const folder = dirname(path)
    let real = this.#folders.get(folder)
    if (real === undefined) {
      real = this.#realFolder(folder)
      this.#folders.set(folder, real)
    }
    return join(real, basename(path))
  }

  /** A folder that is not there may be in one that is. */
  #realFolder(folder: string): string {
    if (folder === '/') return folder
    const real = optional(() => this.host.realPath(folder))
    return real ?? join(this.#realFolder(dirname(folder)), basename(folder))
  }
}

/** The folders on the way to a path, from `/` on. */
export function foldersTo(path: string): string[] {
  const folder = dirname(path)
  return folder === path ? [] : [...foldersTo(folder), folder]
}

/** Sockets and the folders on the way to them. */
export async function gatherFiles(
  host: Host,
  accounts: Accounts,
  paths: readonly string[],
): Promise<Map<string, FileFacts>> {
  const all = [...new Set(paths.flatMap((path) => [...foldersTo(path), path]))]
  const acls = await accessLists(host, all)
  return new Map(
    all.map((path) => [path, { ...statusOf(host, accounts, path), path, acl: acls.get(path) }]),
  )
}

function statusOf(host: Host, accounts: Accounts, path: string): Omit<FileFacts, 'path'> {
  try {
    const { uid, gid, mode, kind } = host.status(path)
    const owner = accounts.nameOfUser(uid)
    return { kind, uid, gid, mode, owner, group: accounts.nameOfGroup(gid) }
  } catch (error) {
    const kind = isForbidden(error) ? 'forbidden' : 'missing'
    return { kind, uid: -1, gid: -1, mode: 0, owner: '?', group: '?' }
  }
}

/** Entries of those files that have a list (acl(5)). Without `getfacl` nothing is known of them. */
async function accessLists(
  host: Host,
  paths: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const lists = new Map<string, readonly string[]>()
  if (paths.length === 0) return lists
  // It fails when one of the files is missing, and writes of the others all the same.
  const there = paths.filter((path) => optional(() => host.status(path)) !== undefined)
  const text = await host
    .run('getfacl', ['--numeric', '--absolute-names', '--skip-base', '--', ...there])
    .catch(() => '')
  for (const part of text.split(/\n\n+/)) {
    const [, path] = part.match(/^# file: (.*)$/m) ?? []
    const entries = part.split('\n').filter((line) => /^(user|group|mask|other):/.test(line))
    if (path !== undefined) lists.set(path, entries)
  }
  return lists
}
