import type { Guest } from '../guest.js'
import type { Vif } from '../vif.js'
import type {
  Domain,
  FileFacts,
  GuestPorts,
  HostFacts,
  ProcessFacts,
  QemuProcess,
  SwitchPort,
  User,
} from './facts.js'
import { foldersTo } from './gather/files.js'

/** A guest's end of a wire. */
export interface GuestEnd {
  readonly vm: string
  readonly uuid?: string | undefined
  readonly vif: Vif
  readonly guest?: Guest | undefined
  readonly isRunning: boolean
  /** Who starts it. `Nova` writes the domain anew at each start. */
  readonly manager: 'Nova' | 'libvirt' | undefined
  readonly process?: ProcessFacts | undefined
  /** As whom QEMU runs, or will. */
  readonly user?: User | undefined
  /** What the next start brings, where it is another: the same port, and the memory. */
  readonly next?: { readonly vif?: Vif | undefined; readonly guest?: Guest | undefined } | undefined
}

/** Everything at one socket. All is well with one guest, one port, one listener and one connection. */
export interface Wire {
  readonly socket: string
  readonly guests: readonly GuestEnd[]
  readonly ports: readonly SwitchPort[]
  readonly isListening: boolean
  /** Who listens; empty where that may not be seen. */
  readonly listeners: readonly ProcessFacts[]
  readonly isConnected: boolean
  /** Who is connected to those who listen; empty where that cannot be seen. */
  readonly connected: readonly ProcessFacts[]
  readonly file: FileFacts | undefined
  /** From `/` on. */
  readonly folders: readonly FileFacts[]
}

/** Brings together what the parties say of each socket. In the order of guests, then of switches' ports. */
export function wiresOf(facts: HostFacts): Wire[] {
  const guests = guestEnds(facts)
  const ports = [...facts.ports, ...(facts.ovs?.ports ?? [])]
  const at = new Map<string, { guests: GuestEnd[]; ports: SwitchPort[] }>()
  const ends = (socket: string) => {
    const known = at.get(socket) ?? { guests: [], ports: [] }
    at.set(socket, known)
    return known
  }
  for (const end of guests)
    ends(facts.realPaths.get(end.vif.socket) ?? end.vif.socket).guests.push(end)
  for (const port of ports) ends(port.socket).ports.push(port)
  return Array.from(at, ([socket, both]) => ({ socket, ...both, ...seenAt(facts, socket) }))
}

function seenAt(facts: HostFacts, socket: string) {
  const sockets = facts.sockets.filter(({ path }) => path === socket)
  const listening = sockets.filter(({ isListening }) => isListening)
  const connections = sockets.filter(({ isListening }) => !isListening)
  return {
    isListening: listening.length > 0,
    listeners: unique(listening.flatMap(({ owners }) => owners)),
    isConnected: connections.length > 0,
    connected: unique(connections.flatMap(({ peers }) => peers)),
    file: facts.files.get(socket),
    folders: foldersTo(socket).flatMap((path) => facts.files.get(path) ?? []),
  }
}

function unique(processes: readonly ProcessFacts[]): ProcessFacts[] {
  return [...new Map(processes.map((process) => [process.pid, process])).values()]
}

function guestEnds(facts: HostFacts): GuestEnd[] {
  const left = new Set(facts.qemus)
  const ofDomains = facts.domains.flatMap((domain) => {
    const qemu = facts.qemus.find((one) =>
      one.uuid !== undefined && domain.uuid !== undefined
        ? one.uuid === domain.uuid
        : one.name === domain.name,
    )
    if (qemu !== undefined) left.delete(qemu)
    return domainEnds(facts, domain, qemu)
  })
  const others = Array.from(left, ({ name, uuid, vifs, guest, process }) =>
    vifs.map(
      (vif): GuestEnd => ({
        ...{ vm: name, uuid, vif, guest, process, user: process.user },
        ...{ isRunning: true, manager: undefined },
      }),
    ),
  )
  return [...ofDomains, ...others.flat()]
}

function domainEnds(facts: HostFacts, domain: Domain, qemu: QemuProcess | undefined): GuestEnd[] {
  const isRunning = domain.isRunning || qemu !== undefined
  const told = isRunning ? (domain.live ?? domain.config) : domain.config
  const now = qemu === undefined ? told : withNames(qemu, told)
  const next = isRunning ? domain.config : undefined
  return (now?.vifs ?? []).map((vif) => ({
    ...{ vm: domain.name, uuid: domain.uuid, vif, guest: now?.guest, isRunning },
    manager: domain.isNova ? 'Nova' : 'libvirt',
    process: qemu?.process,
    user: qemu?.process.user ?? facts.qemuConf?.user,
    next: next && {
      vif: next.vifs.find((other) => isSamePort(vif, other)),
      guest: next.guest,
    },
  }))
}

/** QEMU knows what is so, libvirt what it is called. */
function withNames(qemu: QemuProcess, domain: GuestPorts | undefined): GuestPorts {
  const vifs = qemu.vifs.map((vif) => {
    const named = domain?.vifs.find((other) => isSamePort(vif, other))
    return named === undefined ? vif : { ...named, ...vif, name: named.name, plug: named.plug }
  })
  return { ...qemu, vifs }
}

function isSamePort(one: Vif, other: Vif): boolean {
  return one.mac !== undefined && other.mac !== undefined
    ? one.mac === other.mac
    : one.socket === other.socket
}
