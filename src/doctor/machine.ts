import { execFileSync } from 'node:child_process'
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'

/** DPDK, as far as the addon can tell. */
export type Dpdk = { readonly version: string } | { readonly trouble: string }

export interface MachineOptions {
  /** Folder that stands for `/`, to look at another machine by what was saved of it. Default `/`. */
  readonly root?: string | undefined
  /** Which process `/proc/self` is. Default `self`. */
  readonly self?: string | undefined
  /** Runs a command for its output. Default: does, on this machine; nothing is run for another root. */
  readonly run?: ((command: string, args: readonly string[]) => string) | undefined
  /** Default: what the addon says when it is loaded. */
  readonly dpdk?: (() => Promise<Dpdk>) | undefined
}

/** A user process. */
export interface ProcessInfo {
  readonly pid: number
  readonly uid: number
  readonly args: readonly string[]
}

/** What can be seen of a machine. What is not there, or may not be read, is undefined or empty. */
export class Machine {
  readonly #root: string
  readonly #self: string
  readonly #run: (command: string, args: readonly string[]) => string
  readonly dpdk: () => Promise<Dpdk>

  constructor({ root = '/', self = 'self', run, dpdk }: MachineOptions = {}) {
    this.#root = root
    this.#self = self
    this.#run = run ?? (root === '/' ? runHere : () => '')
    this.dpdk = dpdk ?? loadDpdk
  }

  read(path: string): string | undefined {
    return quietly(() => readFileSync(join(this.#root, path), 'utf8'))
  }

  /** The first line. */
  line(path: string): string | undefined {
    return this.read(path)?.split('\n', 1)[0]?.trim()
  }

  number(path: string): number | undefined {
    const line = this.line(path)
    return line === undefined || line === '' ? undefined : Number(line)
  }

  list(path: string): string[] {
    return quietly(() => readdirSync(join(this.#root, path)).sort()) ?? []
  }

  link(path: string): string | undefined {
    return quietly(() => readlinkSync(join(this.#root, path)))
  }

  stat(path: string): Stats | undefined {
    return quietly(() => statSync(join(this.#root, path)))
  }

  /** Whether this user may not even see if something is there. */
  isHidden(path: string): boolean {
    try {
      statSync(join(this.#root, path))
      return false
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EACCES'
    }
  }

  exists(path: string): boolean {
    return quietly(() => lstatSync(join(this.#root, path))) !== undefined
  }

  run(command: string, ...args: string[]): string {
    return quietly(() => this.#run(command, args)) ?? ''
  }

  /** A field of `/proc/PID/status`. */
  status(field: string, pid: string | number = this.#self): string | undefined {
    const text = this.read(`/proc/${pid}/status`) ?? ''
    return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(text)?.[1]
  }

  /** A soft limit of this process; `Infinity` for unlimited. */
  limit(name: string): number | undefined {
    const text = this.read(`/proc/${this.#self}/limits`) ?? ''
    const soft = new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(text)?.[1]
    if (soft === undefined) return undefined
    return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
  }

  /** Effective user of this process. */
  get uid(): number {
    return Number(this.status('Uid')?.split(/\s+/)[1] ?? 0)
  }

  /** Groups of this process. */
  get gids(): number[] {
    const groups = `${this.status('Gid')?.split(/\s+/)[1] ?? ''} ${this.status('Groups') ?? ''}`
    return groups.trim().split(/\s+/).map(Number)
  }

  /** Whether this process has a capability, by its number. */
  hasCapability(bit: number): boolean {
    return (BigInt(`0x${this.status('CapEff') ?? '0'}`) >> BigInt(bit)) % 2n === 1n
  }

  nameOfUser(uid: number): string {
    return nameIn(this.read('/etc/passwd'), uid)
  }

  nameOfGroup(gid: number): string {
    return nameIn(this.read('/etc/group'), gid)
  }

  processes(): ProcessInfo[] {
    return this.list('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        const args = this.read(`/proc/${name}/cmdline`)?.split('\0').slice(0, -1) ?? []
        const uid = Number(this.status('Uid', name)?.split(/\s+/)[1])
        return args.length === 0 ? [] : [{ pid: Number(name), uid, args }]
      })
  }
}

/** CPUs of a list such as `0-3,8`. */
export function cpusOf(list: string | undefined): number[] {
  if (list === undefined || list === '') return []
  return list.split(',').flatMap((part) => {
    const [from = 0, to = from] = part.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, i) => from + i)
  })
}

function nameIn(text: string | undefined, id: number): string {
  const line = text?.split('\n').find((one) => one.split(':')[2] === String(id))
  return line?.split(':')[0] ?? String(id)
}

function quietly<T>(get: () => T): T | undefined {
  try {
    return get()
  } catch {
    return undefined
  }
}

function runHere(command: string, args: readonly string[]): string {
  const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore']
  return execFileSync(command, args, { encoding: 'utf8', timeout: 5000, stdio })
}

async function loadDpdk(): Promise<Dpdk> {
  try {
    return { version: (await import('../native/binding.js')).binding.dpdkVersion }
  } catch (error) {
    return { trouble: error instanceof Error ? error.message : String(error) }
  }
}
