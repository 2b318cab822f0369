import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Memory } from '../memory.js'
import { BenchProcess } from '../process.js'
import type { Contender, Supervisor, SwitchSetup } from './contender.js'
import { findOvs } from './ovs.js'

const run = promisify(execFile)

/** How long a tool of OVS, or the start of its database, may take. */
const TOOL_MS = 10_000

export const ovsDpdk: Contender = {
  name: 'ovs-dpdk',
  what: 'Open vSwitch as it comes, NORMAL action between two dpdkvhostuserclient ports; its database stays',
  version: () => findOvs().version,
  prepare: (setup) => startDatabase(setup, sharedPool(setup.memory)),
}

export const ovsDpdkLean: Contender = {
  name: 'ovs-dpdk-lean',
  what: 'the same, tuned for the fastest start that it has: per-port-memory, and little of it',
  version: () => findOvs().version,
  prepare: (setup) => startDatabase(setup, portPools(setup.memory)),
}

/** Settings of `other_config`. */
type Settings = readonly string[]

/** Its default is one pool of 262144 frames for all ports of an MTU, for which it needs this much memory. */
const SHARED_POOL_MIB = 2048

export function sharedPool({ kind, ealArgs, mib }: Memory): Settings {
  const args = ealArgs.map((arg) => (arg === String(mib) ? String(SHARED_POOL_MIB) : arg))
  return [dpdkExtra(kind, kind === 'memfd' ? args : ealArgs)]
}

/** A pool for each port, of what the port needs. */
export function portPools({ kind, ealArgs }: Memory): Settings {
  return [dpdkExtra(kind, ealArgs), 'other_config:per-port-memory=true']
}

function dpdkExtra(kind: Memory['kind'], ealArgs: readonly string[]): string {
  const common = ['--no-pci', '--no-telemetry', '--file-prefix=ovs', ...ealArgs]
  // OVS adds --in-memory by itself unless it sees this, and EAL takes no --no-huge with it.
  const args = kind === 'memfd' ? [...common, '--legacy-mem'] : common
  return `other_config:dpdk-extra="${args.join(' ')}"`
}

/** A database of its own, configured once. An instance that the machine runs is neither used nor seen. */
async function startDatabase(setup: SwitchSetup, settings: Settings): Promise<Supervisor> {
  const ovs = findOvs()
  const { folder } = setup
  const [database, socket] = [join(folder, 'conf.db'), join(folder, 'db.sock')]
  const env = {
    ...process.env,
    OVS_RUNDIR: folder,
    OVS_LOGDIR: folder,
    OVS_DBDIR: folder,
    OVS_SYSCONFDIR: folder,
    OVS_PKGDATADIR: ovs.data,
  }
  const tool = (file: string, args: readonly string[]) =>
    run(file, args, { env, timeout: TOOL_MS, killSignal: 'SIGKILL' })

  await tool(ovs.ovsdbTool, ['create', database, join(ovs.data, 'vswitch.ovsschema')])
  const server = new BenchProcess(
    'ovsdb-server',
    ovs.ovsdbServer,
    [database, `--remote=punix:${socket}`, `--unixctl=${join(folder, 'db.ctl')}`, '-vsyslog:off'],
    { stdio: ['ignore', 'pipe', 'pipe'], env },
  )
  try {
    await Promise.race([appears(socket), server.failed])
    await tool(ovs.vsctl, [`--db=unix:${socket}`, '--no-wait', ...configuration(setup, settings)])
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
  return {
    start: () =>
      new BenchProcess(
        'ovs-vswitchd',
        ovs.vswitchd,
        [
          `unix:${socket}`,
          `--unixctl=${join(folder, 'vswitchd.ctl')}`,
          // Nothing but this bridge is its business.
          '--disable-system',
          ...['-vsyslog:off', '-vconsole:warn'],
        ],
        { stdio: ['ignore', 'pipe', 'pipe'], env },
      ),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Commands of ovs-vsctl. */
export function configuration(
  { sockets, cpus }: Pick<SwitchSetup, 'sockets' | 'cpus'>,
  settings: Settings,
): string[] {
  // A bridge is a network interface of the machine too, while the switch runs.
  const bridge = `bench${process.pid}`
  const mask = `0x${(1n << BigInt(cpus.switch)).toString(16)}`
  return [
    ...['set', 'Open_vSwitch', '.', 'other_config:dpdk-init=true'],
    ...settings,
    `other_config:pmd-cpu-mask="${mask}"`,
    // Without a controller it acts as an ordinary switch: one flow, NORMAL, which it makes anew by itself.
    ...['--', 'add-br', bridge, '--', 'set', 'Bridge', bridge, 'datapath_type=netdev'],
    ...sockets.flatMap((path, i) => [
      ...['--', 'add-port', bridge, `vhost${i}`],
      ...['--', 'set', 'Interface', `vhost${i}`, 'type=dpdkvhostuserclient'],
      `options:vhost-server-path="${path}"`,
    ]),
  ]
}

async function appears(file: string): Promise<void> {
  const deadline = performance.now() + TOOL_MS
  while (!existsSync(file)) {
    if (performance.now() > deadline) throw new Error('ovsdb-server does not listen')
    await sleep(10)
  }
}
