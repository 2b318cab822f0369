/** A host as text: files, processes, sockets, what commands print, rows of OVS. */
import { dirname } from 'node:path'
import { CommandFailed, type FileStatus, type Host, type OvsdbRow } from '../../../src/vif/index.js'

/** A file by what it has in it, or by owner and mode; `forbidden` may not be looked at. */
export type MadeUpFile = string | 'forbidden' | Partial<FileStatus>

export interface MadeUpProcess {
  readonly args: readonly string[]
  readonly uid: number
  readonly gids: readonly number[]
  /** Inodes of its sockets; undefined when that may not be read. */
  readonly sockets?: readonly number[]
  /** Its network namespace, 1 for that of the host. */
  readonly network?: number
}

export interface MadeUpSocket {
  readonly path: string
  readonly inode: number
  /** The other end's; a socket without one listens. */
  readonly peer?: number
}

export interface MadeUp {
  readonly files: Readonly<Record<string, MadeUpFile | undefined>>
  readonly processes: Readonly<Record<number, MadeUpProcess | undefined>>
  readonly sockets: readonly MadeUpSocket[]
  /** Domains by name: what `virsh dumpxml` prints of those that run, and of all with `--inactive`. */
  readonly live: Readonly<Record<string, string>>
  readonly config: Readonly<Record<string, string>>
  /** Names of commands that are not there. */
  readonly without?: readonly string[]
  readonly ovs?: Readonly<Record<string, readonly OvsdbRow[]>> | undefined
  readonly acl?: string
}

export class MadeUpHost implements Host {
  readonly #made: MadeUp
  readonly #files = new Map<string, MadeUpFile>()

  constructor(made: MadeUp) {
    this.#made = made
    const { files, processes, sockets } = made
    for (const [path, file] of Object.entries(files))
      if (file !== undefined) this.#files.set(path, file)
    for (const [pid, process] of Object.entries(processes)) if (process) this.#add(pid, process)
    this.#files.set('/proc/net/unix', unixTable(sockets))
    this.#files.set('/proc/self/ns/net', 'net:[1]')
  }

  read(path: string): string {
    const file = this.#file(path)
    return typeof file === 'string' ? file : ''
  }

  list(path: string): readonly string[] {
    const names = Array.from(this.#files.keys())
      .filter((file) => file.startsWith(`${path}/`))
      .map((file) => file.slice(path.length + 1).split('/')[0] as string)
    if (names.length === 0) throw error('ENOENT', path)
    if (this.#files.get(`${path}/forbidden`)) throw error('EACCES', path)
    return [...new Set(names)].sort()
  }

  link(path: string): string {
    return this.read(path)
  }

  status(path: string): FileStatus {
    const isFolder = Array.from(this.#files.keys()).some((file) => file.startsWith(`${path}/`))
    const usual: FileStatus =
      isFolder || path === '/'
        ? { kind: 'folder', uid: 0, gid: 0, mode: 0o755 }
        : { kind: 'other', uid: 0, gid: 0, mode: 0o644 }
    const file = this.#files.get(path)
    if (file === undefined && usual.kind === 'folder') return usual
    const known = this.#file(path)
    return typeof known === 'string' ? usual : { ...usual, ...known }
  }

  realPath(path: string): string {
    if (path.startsWith('/var/run')) return path.replace('/var/run', '/run')
    this.status(path)
    return path
  }

  async run(command: string, args: readonly string[]): Promise<string> {
    const { live, config, without = [], acl } = this.#made
    if (without.includes(command)) throw new CommandFailed(`there is no ${command}`, true)
    const words = args.join(' ')
    switch (command) {
      case 'ss':
        return ssTable(this.#made.sockets)
      case 'getfacl':
        if (acl === undefined) throw new CommandFailed('there is no getfacl', true)
        return acl
      case 'virsh': {
        if (words.includes('list'))
          return `${Object.keys(words.includes('--all') ? config : live).join('\n')}\n\n`
        const name = args.at(-1) as string
        return ((words.includes('--inactive') ? undefined : live[name]) ?? config[name]) as string
      }
      default:
        throw new CommandFailed(`there is no ${command}`, true)
    }
  }

  async ovsdb(remote: string, tables: readonly string[]): Promise<(readonly OvsdbRow[])[]> {
    const { ovs } = this.#made
    if (ovs !== undefined) return tables.map((table) => ovs[table] ?? [])
    throw Object.assign(new Error(`no OVSDB at ${remote}`), { cause: { code: 'ENOENT' } })
  }

  #file(path: string): MadeUpFile {
    const file = this.#files.get(path)
    if (file === undefined) throw error('ENOENT', path)
    if (file === 'forbidden' || this.#files.get(dirname(path)) === 'forbidden')
      throw error('EACCES', path)
    return file
  }

  #add(pid: string, { args, uid, gids, sockets, network = 1 }: MadeUpProcess): void {
    const at = `/proc/${pid}`
    const four = (id: number | undefined) => Array(4).fill(id).join('\t')
    this.#files.set(`${at}/cmdline`, `${args.join('\0')}\0`)
    this.#files.set(
      `${at}/status`,
      `Uid:\t${four(uid)}\nGid:\t${four(gids[0])}\nGroups:\t${gids.join(' ')} \nCapEff:\t${uid === 0 ? '000001ffffffffff' : '0000000000000000'}\n`,
    )
    this.#files.set(`${at}/ns/net`, `net:[${network}]`)
    if (sockets === undefined) this.#files.set(`${at}/fd/forbidden`, 'forbidden')
    for (const [i, inode] of sockets?.entries() ?? [])
      this.#files.set(`${at}/fd/${10 + i}`, `socket:[${inode}]`)
  }
}

/** As `proc_net_unix(5)`; the connecting end has no path. */
function unixTable(sockets: readonly MadeUpSocket[]): string {
  const line = (flags: string, state: string, inode: number, path: string) =>
    `0000000000000000: 00000002 00000000 ${flags} 0001 ${state} ${inode}${path}`
  return [
    'Num       RefCount Protocol Flags    Type St Inode Path',
    ...sockets.flatMap(({ path, inode, peer }) =>
      peer === undefined
        ? [line('00010000', '01', inode, ` ${path}`)]
        : [line('00000000', '03', inode, ` ${path}`), line('00000000', '03', peer, '')],
    ),
    '',
  ].join('\n')
}

/** As `ss -xaH`. */
function ssTable(sockets: readonly MadeUpSocket[]): string {
  return sockets
    .flatMap(({ path, inode, peer }) =>
      peer === undefined
        ? [`u_str LISTEN 0      1      ${path} ${inode}            * 0   `]
        : [
            `u_str ESTAB  0      0      ${path} ${inode}            * ${peer}`,
            `u_str ESTAB  0      0      * ${peer}            * ${inode}`,
          ],
    )
    .join('\n')
}

function error(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}
