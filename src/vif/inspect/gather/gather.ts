import type { HostFacts, ProcessFacts, SwitchPort, UnixSocket } from '../facts.js'
import { type Host, optional } from '../host.js'
import { Accounts } from './accounts.js'
import { gatherFiles, RealPaths } from './files.js'
import { gatherDomains, gatherQemuConf } from './libvirt.js'
import { gatherLogs } from './log.js'
import { gatherOvs } from './ovs.js'
import { Processes } from './processes.js'
import { gatherQemus } from './qemu.js'
import { AS_ROOT, Sources } from './sources.js'
import { UnixTable } from './unix-table.js'

export interface GatherOptions {
  readonly libvirt: string
  readonly ovsdb: string
  readonly ports: readonly SwitchPort[]
}

/** Reads all there is. Nothing that is missing or forbidden is an error: it is told in `sources`. */
export async function gather(host: Host, options: GatherOptions): Promise<HostFacts> {
  const sources = new Sources()
  const accounts = new Accounts(host)
  const processes = new Processes(host, accounts)
  const table = new UnixTable(host, sources)
  const domains = await gatherDomains(host, options.libvirt, sources)
  const qemuConf = gatherQemuConf(host, accounts, sources)
  const qemus = gatherQemus(processes, table, sources)
  const ovs = await gatherOvs(host, options.ovsdb, processes, sources)
  const vms = new Set([...domains, ...qemus].map(({ name }) => name))
  const log = gatherLogs(host, [...vms], sources)

  const real = new RealPaths(host)
  const ports = (all: readonly SwitchPort[]) =>
    all.map((port) => ({ ...port, socket: real.of(port.socket) }))
  const ourPorts = ports(options.ports)
  const switchPids = [...options.ports, ...(ovs?.ports ?? [])].flatMap(({ pid }) => pid ?? [])
  const parties = [...qemus.map(({ process }) => process.pid), ...new Set(switchPids)]
  for (const pid of parties) {
    const process = processes.get(pid)
    if (process !== undefined) table.addNetworkOf(process, sources)
  }
  const guests = [...qemus, ...domains.flatMap(({ live, config }) => [live, config])]
  const written = guests.flatMap((guest) => guest?.vifs.map(({ socket }) => socket) ?? [])
  const realPaths = new Map(written.map((path) => [path, real.of(path)]))
  const ovsFacts = ovs && { ...ovs, ports: ports(ovs.ports) }
  const switchPorts = [...ourPorts, ...(ovsFacts?.ports ?? [])]
  const wanted = new Set([...realPaths.values(), ...switchPorts.map(({ socket }) => socket)])
  const files = await gatherFiles(host, accounts, [...wanted])
  const closed = Array.from(files.values()).filter(({ kind }) => kind === 'forbidden')
  if (closed.length > 0)
    sources.add(
      'partly',
      'files',
      `${closed.map(({ path }) => path).join(', ')} need root`,
      AS_ROOT,
    )
  return {
    sources: sources.all,
    domains,
    qemus,
    log,
    ovs: ovsFacts,
    ports: ourPorts,
    sockets: await gatherSockets(table, processes, parties, wanted, real, sources),
    files,
    realPaths,
    accounts,
    processes: processes.known,
    qemuConf,
    confinement: confinementOf(host),
  }
}

/** The sockets at these paths, and who has them: looked for among the parties first, then among all processes. */
async function gatherSockets(
  table: UnixTable,
  processes: Processes,
  parties: readonly number[],
  wanted: ReadonlySet<string>,
  real: RealPaths,
  sources: Sources,
): Promise<UnixSocket[]> {
  await table.readPeers(sources)
  const entries = table.entries
    .map((entry) => ({ ...entry, path: real.of(entry.path) }))
    .filter(({ path }) => wanted.has(path))
  const missing = new Set(entries.flatMap(({ inode }) => [inode, table.peerOf(inode) ?? inode]))
  const owners = new Map<number, ProcessFacts[]>()
  const forbidden: number[] = []
  const look = (pids: readonly number[]) => {
    for (const pid of pids) {
      if (missing.size === 0) return
      const inodes = processes.socketsOf(pid)
      if (inodes === undefined && parties.includes(pid)) forbidden.push(pid)
      for (const inode of inodes?.values() ?? []) {
        const process = missing.has(inode) || owners.has(inode) ? processes.get(pid) : undefined
        if (process === undefined) continue
        owners.set(inode, [...(owners.get(inode) ?? []), process])
        missing.delete(inode)
      }
    }
  }
  look(parties)
  look(processes.pids.filter((pid) => !parties.includes(pid)))
  for (const pid of forbidden) {
    const { command = 'process' } = processes.get(pid) ?? {}
    const seen = `/proc/${pid}/fd needs root: what it has open is told by role`
    sources.add('partly', `${command} ${pid}`, seen, AS_ROOT)
  }
  const peersOf = (inode: number) => owners.get(table.peerOf(inode) ?? -1) ?? []
  return entries.map((entry) => ({
    ...entry,
    owners: owners.get(entry.inode) ?? [],
    peers: peersOf(entry.inode),
  }))
}

function confinementOf(host: Host): HostFacts['confinement'] {
  if (optional(() => host.read('/sys/fs/selinux/enforce').trim()) === '1') return 'SELinux'
  const apparmor = optional(() => host.read('/sys/module/apparmor/parameters/enabled').trim())
  return apparmor === 'Y' ? 'AppArmor' : undefined
}
