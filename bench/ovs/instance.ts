import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { BenchProcess } from '../process.js'
import { findOvs, type Ovs } from './find.js'

const run = promisify(execFile)

/** How long a tool of OVS, or the start of its database, may take. */
const TOOL_MS = 60_000

/** How long guests may take to be connected. */
const CONNECT_MS = 60_000

/**
 * An Open vSwitch of its own in a folder: a database, and the daemon as often as it is started. One that the machine
 * runs is neither used nor seen.
 */
export class OvsInstance implements AsyncDisposable {
  readonly #ovs: Ovs
  readonly #folder: string
  readonly #env: NodeJS.ProcessEnv
  readonly #database: BenchProcess

  private constructor(ovs: Ovs, folder: string) {
    this.#ovs = ovs
    this.#folder = folder
    this.#env = {
      ...process.env,
      OVS_RUNDIR: folder,
      OVS_LOGDIR: folder,
      OVS_DBDIR: folder,
      OVS_SYSCONFDIR: folder,
      OVS_PKGDATADIR: ovs.data,
    }
    this.#database = new BenchProcess(
      'ovsdb-server',
      ovs.ovsdbServer,
      [
        ...[join(folder, 'conf.db'), `--remote=punix:${this.#socket}`],
        ...[`--unixctl=${join(folder, 'db.ctl')}`, '-vsyslog:off'],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: this.#env },
    )
  }

  /**
   * Starts the database, empty.
   *
   * @throws Error when OVS-DPDK is not there, saying how to get it
   */
  static async create(folder: string): Promise<OvsInstance> {
    const ovs = findOvs()
    const schema = join(ovs.data, 'vswitch.ovsschema')
    await run(ovs.ovsdbTool, ['create', join(folder, 'conf.db'), schema], { timeout: TOOL_MS })
    const instance = new OvsInstance(ovs, folder)
    try {
      await Promise.race([appears(instance.#socket), instance.#database.failed])
      return instance
    } catch (error) {
      await instance[Symbol.asyncDispose]()
      throw error
    }
  }

  /**
   * Starts the daemon, which sets up what the database says.
   *
   * @param options - `enter`: what goes before its command to run it in a network namespace with interfaces that are its
   *   business. Default: one of its own with none
   */
  startDaemon({ enter }: { enter?: readonly string[] } = {}): BenchProcess {
    const [command = '', ...before] = [...(enter ?? networkOfItsOwn()), this.#ovs.vswitchd]
    return new BenchProcess(
      'ovs-vswitchd',
      command,
      [
        ...before,
        `unix:${this.#socket}`,
        `--unixctl=${this.#control}`,
        // Nothing but this bridge is its business.
        ...(enter === undefined ? ['--disable-system'] : []),
        ...['-vsyslog:off', '-vconsole:warn'],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: this.#env },
    )
  }

  /** Resolves when the daemon has done what the database says, and flows can be added to the bridge. */
  async ready(bridge: string): Promise<void> {
    // Without --no-wait it waits for the daemon, which on a busy machine needs 20 s for pools of long frames.
    await this.vsctl('--timeout=60', 'set', 'Open_vSwitch', '.', 'external_ids:asked=ready')
    await appears(this.#bridgeSocket(bridge))
  }

  /** Resolves when so many guests are connected and polled; what OVS gets for one that is not yet is lost. */
  async connected(guests: number): Promise<void> {
    const deadline = performance.now() + CONNECT_MS
    for (;;) {
      const queues = (await this.appctl('dpif-netdev/pmd-rxq-show')).match(/\(enabled\)/g) ?? []
      if (queues.length >= guests) break
      if (performance.now() > deadline) {
        throw new Error(`OVS polls ${queues.length} of ${guests} guests after ${CONNECT_MS} ms`)
      }
      await sleep(20)
    }
    // It hears of the queues to a guest at the same time, and takes notice up to 64 ms later.
    await sleep(100)
  }

  /** Runs `ovs-vsctl`; without `--no-wait` among the words it waits for the daemon. */
  vsctl(...words: string[]): Promise<string> {
    return this.#tool(this.#ovs.vsctl, [`--db=unix:${this.#socket}`, ...words])
  }

  /** Runs a command of `ovs-ofctl` on a bridge. `options` come before it, such as `-OOpenFlow13`. */
  ofctl(
    bridge: string,
    command: string,
    words: readonly string[] = [],
    options: readonly string[] = [],
  ): Promise<string> {
    const target = `unix:${this.#bridgeSocket(bridge)}`
    return this.#tool(this.#ovs.ofctl, [...options, command, target, ...words])
  }

  /** Has `ovs-ofctl` read a flow, as `options` say. */
  parseFlow(flow: string, options: readonly string[] = []): Promise<string> {
    return this.#tool(this.#ovs.ofctl, [...options, 'parse-flow', flow])
  }

  /** Runs a command of `ovs-appctl` on the daemon. */
  appctl(...words: string[]): Promise<string> {
    return this.#tool(this.#ovs.appctl, ['-t', this.#control, ...words])
  }

  /** Ends the database. The daemon is whose who started it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#database[Symbol.asyncDispose]()
  }

  get #socket(): string {
    return join(this.#folder, 'db.sock')
  }

  get #control(): string {
    return join(this.#folder, 'vswitchd.ctl')
  }

  #bridgeSocket(bridge: string): string {
    return join(this.#folder, `${bridge}.mgmt`)
  }

  async #tool(file: string, args: readonly string[]): Promise<string> {
    const options = { env: this.#env, timeout: TOOL_MS, killSignal: 'SIGKILL' } as const
    return (await run(file, args, options)).stdout
  }
}

/**
 * A daemon makes network interfaces of fixed names: in a namespace of its own these are in nobody's way, such as another
 * daemon's.
 */
function networkOfItsOwn(): string[] {
  const unshare = ['unshare', '--net']
  return spawnSync('unshare', ['--net', 'true']).status === 0 ? unshare : []
}

async function appears(file: string): Promise<void> {
  const deadline = performance.now() + TOOL_MS
  while (!existsSync(file)) {
    if (performance.now() > deadline) throw new Error(`nobody listens on ${file}`)
    await sleep(10)
  }
}
