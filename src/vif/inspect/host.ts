import {
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs'
import { OvsdbClient, type OvsdbRow } from '../ovsdb/index.js'
import { runCommand } from '../system-command.js'

/** Owner and mode of a file. */
export interface FileStatus {
  readonly kind: 'socket' | 'folder' | 'other'
  readonly uid: number
  readonly gid: number
  /** Permissions with set-id and sticky bits, such as `0o1777`. */
  readonly mode: number
}

/** What a host is seen through; tests make one up. Methods throw as `node:fs` does, `ENOENT` and `EACCES` included. */
export interface Host {
  read(path: string): string
  list(path: string): readonly string[]
  link(path: string): string
  /** Follows links. */
  status(path: string): FileStatus
  /** The path without links on the way. */
  realPath(path: string): string
  /**
   * What a command writes.
   *
   * @throws CommandFailed
   */
  run(command: string, args: readonly string[]): Promise<string>
  /**
   * All rows of tables of an OVSDB, a table after the other.
   *
   * @throws OvsdbError
   */
  ovsdb(remote: string, tables: readonly string[]): Promise<readonly (readonly OvsdbRow[])[]>
}

/** This host. */
export class LocalHost implements Host {
  /** @param timeoutMs - how long a command may take */
  constructor(readonly timeoutMs = 10_000) {}

  read(path: string): string {
    return readFileSync(path, 'utf8')
  }

  list(path: string): readonly string[] {
    return readdirSync(path).sort()
  }

  link(path: string): string {
    return readlinkSync(path)
  }

  status(path: string): FileStatus {
    const stats = statSync(path)
    return { kind: kindOf(stats), uid: stats.uid, gid: stats.gid, mode: stats.mode & 0o7777 }
  }

  realPath(path: string): string {
    return realpathSync(path)
  }

  run(command: string, args: readonly string[]): Promise<string> {
    return runCommand(command, args, { timeoutMs: this.timeoutMs })
  }

  async ovsdb(remote: string, tables: readonly string[]): Promise<(readonly OvsdbRow[])[]> {
    await using client = await OvsdbClient.connect(remote, { timeoutMs: this.timeoutMs })
    const selects = tables.map((table) => ({ op: 'select', table, where: [] }))
    return (await client.transact(selects)).map(({ rows = [] }) => rows)
  }
}

function kindOf(stats: Stats): FileStatus['kind'] {
  if (stats.isSocket()) return 'socket'
  return stats.isDirectory() ? 'folder' : 'other'
}

/** What something returns, or undefined where it throws: for what a host need not have. */
export function optional<T>(get: () => T): T | undefined {
  try {
    return get()
  } catch {
    return undefined
  }
}

/** Whether it is there and may not be looked at. */
export function isForbidden(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EACCES' || code === 'EPERM'
}
