import type { ProcessFacts } from '../facts.js'
import { type Host, optional } from '../host.js'
import { AS_ROOT, type Sources } from './sources.js'

/** A line of `/proc/net/unix` (proc_net_unix(5)) that has a path. */
export interface UnixEntry {
  readonly path: string
  readonly inode: number
  readonly isListening: boolean
}

/** `__SO_ACCEPTCON` of the kernel. */
const LISTENING = 0x10000

/**
 * Unix sockets by path. The side that listened has it on all its sockets, the side that connected on none: whose the
 * other end is only `ss` can say, which asks the kernel through sock_diag(7).
 */
export class UnixTable {
  readonly #host: Host
  readonly #entries = new Map<number, UnixEntry>()
  readonly #peers = new Map<number, number>()
  /** A process of each network; undefined for our own. */
  readonly #networks = new Map<string | undefined, number | undefined>()

  constructor(host: Host, sources: Sources) {
    this.#host = host
    const text = sources.attempt('sockets', '/proc/net/unix', () => host.read('/proc/net/unix'))
    this.#add(text ?? '')
    const own = optional(() => host.link('/proc/self/ns/net'))
    this.#networks.set(own, undefined)
  }

  get entries(): readonly UnixEntry[] {
    return [...this.#entries.values()]
  }

  pathOf(inode: number | undefined): string | undefined {
    return inode === undefined ? undefined : this.#entries.get(inode)?.path
  }

  peerOf(inode: number): number | undefined {
    return this.#peers.get(inode)
  }

  /** A container has sockets of its own: the table that a process sees. A connection is in that of who connected. */
  addNetworkOf({ pid, network, command }: ProcessFacts, sources: Sources): void {
    if (network === undefined || this.#networks.has(network)) return
    this.#networks.set(network, pid)
    const path = `/proc/${pid}/net/unix`
    const text = sources.attempt(`${command} ${pid}`, path, () => this.#host.read(path))
    this.#add(text ?? '')
  }

  /** Asks `ss` who is connected to whom, in each network. */
  async readPeers(sources: Sources): Promise<void> {
    for (const pid of this.#networks.values()) {
      const ss = ['ss', '-xaH']
      const [command = '', ...args] =
        pid === undefined ? ss : ['nsenter', `--target=${pid}`, '--net', ...ss]
      try {
        this.#addPeers(await this.#host.run(command, args))
      } catch (error) {
        const seen = `who is connected is told by role: ${(error as Error).message}`
        if (pid === undefined) sources.add('absent', 'ss', seen, 'sudo apt-get install iproute2')
        else sources.add('partly', `network of ${pid}`, seen, AS_ROOT)
      }
    }
  }

  #addPeers(text: string): void {
    for (const line of text.split('\n')) {
      const [, inode, peer] =
        line.match(/^\S+\s+\S+\s+\d+\s+\d+\s+.+?\s+(\d+)\s+\S+\s+(\d+)\s*$/) ?? []
      if (inode !== undefined && peer !== '0') this.#peers.set(Number(inode), Number(peer))
    }
  }

  #add(text: string): void {
    for (const line of text.split('\n')) {
      const [, flags, inode, path] =
        line.match(/^\S+: \S+ \S+ ([0-9A-F]+) \S+ \S+ +(\d+) (\/.*)$/i) ?? []
      // One that nobody has accepted yet has no inode.
      if (path === undefined || inode === '0') continue
      const isListening = (Number.parseInt(flags as string, 16) & LISTENING) !== 0
      this.#entries.set(Number(inode), { path, inode: Number(inode), isListening })
    }
  }
}
