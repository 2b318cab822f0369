import { basename } from 'node:path'
import type { ProcessFacts } from '../facts.js'
import { type Host, optional } from '../host.js'
import type { Accounts } from './accounts.js'

/** Owners and modes do not matter to who has it (capabilities(7)). */
const CAP_DAC_OVERRIDE = 1n

/** The processes of a host; each is read when it is asked for. */
export class Processes {
  readonly #host: Host
  readonly #accounts: Accounts
  readonly #known = new Map<number, ProcessFacts | undefined>()
  readonly pids: readonly number[]

  constructor(host: Host, accounts: Accounts) {
    this.#host = host
    this.#accounts = accounts
    const names = optional(() => host.list('/proc')) ?? []
    this.pids = names.filter((name) => /^\d+$/.test(name)).map(Number)
  }

  /** All that were asked for and are there. */
  get known(): ReadonlyMap<number, ProcessFacts> {
    const entries = Array.from(this.#known).filter(([, facts]) => facts !== undefined)
    return new Map(entries as [number, ProcessFacts][])
  }

  /** Arguments; empty for a kernel thread, or a process that is gone. */
  argumentsOf(pid: number): string[] {
    const text = optional(() => this.#host.read(`/proc/${pid}/cmdline`)) ?? ''
    return text.split('\0').slice(0, -1)
  }

  /** Undefined when it is gone. */
  get(pid: number): ProcessFacts | undefined {
    if (!this.#known.has(pid)) this.#known.set(pid, this.#read(pid))
    return this.#known.get(pid)
  }

  /** Inodes of the sockets it has open, by file descriptor; undefined when that may not be read. */
  socketsOf(pid: number): ReadonlyMap<number, number> | undefined {
    const folder = `/proc/${pid}/fd`
    const names = optional(() => this.#host.list(folder))
    if (names === undefined) return undefined
    const links = names.map((name) => [name, optional(() => this.#host.link(`${folder}/${name}`))])
    return new Map(
      links.flatMap(([name, link]): [number, number][] => {
        const [, inode] = link?.match(/^socket:\[(\d+)\]$/) ?? []
        return inode === undefined ? [] : [[Number(name), Number(inode)]]
      }),
    )
  }

  #read(pid: number): ProcessFacts | undefined {
    const text = optional(() => this.#host.read(`/proc/${pid}/status`))
    if (text === undefined) return undefined
    const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? ''
    // Of the four (real, effective, saved, file system) the last decides about files.
    const last = (name: string) => Number(field(name).trim().split(/\s+/).at(-1))
    const uid = last('Uid')
    const groups = field('Groups').trim().split(/\s+/).filter(Boolean).map(Number)
    const user = {
      name: this.#accounts.nameOfUser(uid),
      uid,
      gids: [...new Set([last('Gid'), ...groups])],
      overrides: ((BigInt(`0x${field('CapEff') || '0'}`) >> CAP_DAC_OVERRIDE) & 1n) === 1n,
    }
    const namespace = (name: string) => optional(() => this.#host.link(`/proc/${pid}/ns/${name}`))
    const [program] = this.argumentsOf(pid)
    return {
      pid,
      command: program === undefined ? field('Name') : basename(program),
      user,
      network: namespace('net'),
      mounts: namespace('mnt'),
    }
  }
}
