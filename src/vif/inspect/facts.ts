import type { ConfigError } from '../../config/index.js'
import type { Guest } from '../guest.js'
import type { Vif } from '../vif.js'
import type { Accounts } from './gather/accounts.js'

/** Where something was looked for, and whether it could be. */
export interface SourceStatus {
  /** `libvirt`, `QEMU 4711`, `OVS`, ... */
  readonly source: string
  /** `partly`: something of it may not be read; `unread`: all of it; `absent`: there is no such thing here. */
  readonly state: 'read' | 'partly' | 'unread' | 'absent'
  /** What was found, or what is in the way. */
  readonly seen: string
  /** How to have it read. */
  readonly fix?: string
}

/** As whom something acts. */
export interface User {
  readonly name: string
  readonly uid: number
  /** All groups. */
  readonly gids: readonly number[]
  /** Owners and modes do not matter (CAP_DAC_OVERRIDE). */
  readonly overrides: boolean
}

export interface ProcessFacts {
  readonly pid: number
  /** Name of its program. */
  readonly command: string
  readonly user: User
  /** Its network and mount namespaces, as `/proc/PID/ns` names them; undefined where they may not be read. */
  readonly network?: string | undefined
  readonly mounts?: string | undefined
}

/** Ports and memory of a guest, by one artefact. */
export interface GuestPorts {
  readonly vifs: readonly Vif[]
  readonly guest?: Guest | undefined
  /** Ports that cannot be: too long a path, no such mode. */
  readonly unusable: readonly ConfigError[]
}

export interface Domain {
  readonly name: string
  readonly uuid?: string | undefined
  readonly isRunning: boolean
  /** Whether Nova made it, and makes it anew. */
  readonly isNova: boolean
  /** What runs; undefined when it does not. */
  readonly live?: GuestPorts | undefined
  /** What the next start will use. */
  readonly config?: GuestPorts | undefined
}

export interface QemuProcess extends GuestPorts {
  readonly process: ProcessFacts
  readonly name: string
  readonly uuid?: string | undefined
}

/** A line of a QEMU's log that is about its ports. */
export interface LogLine {
  readonly vm: string
  readonly file: string
  readonly text: string
}

/** A port of a switch: of OVS, or one of ours. */
export interface SwitchPort {
  /** `OVS`, or the name of a switch of ours. */
  readonly switch: string
  readonly name: string
  readonly bridge?: string | undefined
  readonly type: 'dpdkvhostuserclient' | 'dpdkvhostuser'
  readonly socket: string
  /** What the switch says: `ready`, `connecting`, OVS's `connected`, ... */
  readonly state?: string | undefined
  readonly isConnected?: boolean | undefined
  /** Why it is so, in the words of the switch. */
  readonly reason?: string | undefined
  /** Queue pairs it can have; undefined where the guest decides. */
  readonly queues?: number | undefined
  /** Queue pairs that the guest uses. */
  readonly usedQueues?: number | undefined
  readonly mtu?: number | undefined
  readonly pid?: number | undefined
}

export interface OvsFacts {
  readonly pid?: number | undefined
  readonly ports: readonly SwitchPort[]
  readonly unusable: readonly ConfigError[]
  /** Whether DPDK runs in it; undefined if OVS is too old to say. */
  readonly dpdk?: boolean | undefined
  /** Bridges with vhost-user ports whose datapath is not `netdev`, and its type. */
  readonly kernelBridges: ReadonlyMap<string, string>
}

/** A Unix socket that has a path. */
export interface UnixSocket {
  readonly path: string
  readonly inode: number
  readonly isListening: boolean
  /** Who has it open; empty where that may not be read. */
  readonly owners: readonly ProcessFacts[]
  /** Who has the other end; empty where that cannot be told. */
  readonly peers: readonly ProcessFacts[]
}

/** A file or folder that a socket needs. */
export interface FileFacts {
  readonly path: string
  /** `forbidden`: it may not be looked at. */
  readonly kind: 'missing' | 'forbidden' | 'socket' | 'folder' | 'other'
  readonly uid: number
  readonly gid: number
  readonly owner: string
  readonly group: string
  readonly mode: number
  /** Entries of its access control list as of `getfacl -n`; undefined when it has none. */
  readonly acl?: readonly string[] | undefined
}

/** What libvirt runs QEMU as. */
export interface QemuConf {
  readonly file: string
  readonly user: User
  /** Names in it that are no user and no group of this host. */
  readonly unknown: readonly { readonly kind: 'user' | 'group'; readonly name: string }[]
}

/** All that was found. Paths of sockets and of switches' ports are without links, where these may be followed. */
export interface HostFacts {
  readonly sources: readonly SourceStatus[]
  readonly domains: readonly Domain[]
  readonly qemus: readonly QemuProcess[]
  readonly log: readonly LogLine[]
  readonly ovs: OvsFacts | undefined
  /** Ports of switches of ours. */
  readonly ports: readonly SwitchPort[]
  readonly sockets: readonly UnixSocket[]
  /** Sockets and their folders, by path. */
  readonly files: ReadonlyMap<string, FileFacts>
  /** Paths of guests' sockets, as written, to those without links. */
  readonly realPaths: ReadonlyMap<string, string>
  readonly processes: ReadonlyMap<number, ProcessFacts>
  readonly accounts: Accounts
  readonly qemuConf: QemuConf | undefined
  /** Whether SELinux or AppArmor may forbid what modes allow. */
  readonly confinement: 'SELinux' | 'AppArmor' | undefined
}
