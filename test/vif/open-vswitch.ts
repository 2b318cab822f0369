/** Open vSwitch in a folder of its own: a database and, if wanted, a daemon with OVS's dummy devices in place of DPDK. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { portPools } from '../../bench/ovs/configuration.js'
import { findOvs } from '../../bench/ovs/find.js'
import { until } from '../support/loopback.js'
import { run } from './peers.js'

/** Why tests with OVS are skipped; false if they are not. */
export function noOvs(): string | false {
  try {
    findOvs()
    return false
  } catch (error) {
    return (error as Error).message
  }
}

export class OpenVswitch implements AsyncDisposable {
  readonly #ovs = findOvs()
  readonly folder = mkdtempSync(join(tmpdir(), 'dpdk-vhost-vif-'))
  readonly socket = join(this.folder, 'db.sock')
  readonly #env = { OVS_RUNDIR: this.folder, OVS_LOGDIR: this.folder, OVS_DBDIR: this.folder }
  readonly #children: ChildProcess[] = []

  /** Starts the database, with its one row. */
  static async start(): Promise<OpenVswitch> {
    const ovs = new OpenVswitch()
    try {
      const database = join(ovs.folder, 'conf.db')
      run(ovs.#ovs.ovsdbTool, ['create', database, join(ovs.#ovs.data, 'vswitch.ovsschema')])
      const remotes = [`punix:${ovs.socket}`, 'db:Open_vSwitch,Open_vSwitch,manager_options']
      const args = [`--unixctl=${ovs.folder}/db.ctl`, ...remotes.map((one) => `--remote=${one}`)]
      ovs.#start(ovs.#ovs.ovsdbServer, database, ...args)
      await until('the database listens', () => existsSync(ovs.socket), 10_000)
      ovs.vsctl('--no-wait', 'init')
      return ovs
    } catch (error) {
      await ovs[Symbol.asyncDispose]()
      throw error
    }
  }

  /** The remote of the database. */
  get remote(): string {
    return `unix:${this.socket}`
  }

  /**
   * @param devices - `dummy`: OVS's own in place of the system's; `dpdk`: real ones, in a network of their own (needs root);
   *   `real`: DPDK is not started
   */
  startDaemon(devices: 'dummy' | 'dpdk' | 'real' = 'dummy'): ChildProcess {
    if (devices === 'dpdk') {
      const ealArgs = ['--no-huge', '--no-shconf', '-m', '256']
      const settings = portPools({ kind: 'memfd', mib: 256, ealArgs })
      const words = ['other_config:dpdk-init=true', 'other_config:pmd-maxsleep=200', ...settings]
      this.vsctl('--no-wait', 'set', 'Open_vSwitch', '.', ...words)
    }
    const dummy = devices === 'dummy' ? ['--enable-dummy=override'] : []
    const args = [...dummy, '--disable-system', `--unixctl=${this.folder}/ctl`]
    const own = devices === 'dummy' ? [] : ['unshare', '--net']
    const [program = '', ...before] = [...own, this.#ovs.vswitchd]
    return this.#start(program, ...before, this.remote, ...args)
  }

  /** What ports and their bridges are told to be, without what the daemon finds of them. */
  rows(): unknown[] {
    const columns = {
      Bridge: 'name,datapath_type,external_ids,other_config,fail_mode',
      Port: 'name,tag,trunks,vlan_mode,external_ids,other_config',
      Interface: 'name,type,options,external_ids,other_config,mtu_request',
    }
    return Object.entries(columns).map(([table, names]) => {
      const list = this.vsctl('--format=json', `--columns=${names}`, 'list', table)
      const { headings, data } = JSON.parse(list) as { headings: string[]; data: unknown[][] }
      return { table, headings, data: data.map((row) => JSON.stringify(row)).sort() }
    })
  }

  vsctl(...args: string[]): string {
    return run(this.#ovs.vsctl, [`--db=${this.remote}`, ...args], '', this.#env)
  }

  #start(program: string, ...args: string[]): ChildProcess {
    const env = { ...process.env, ...this.#env, OVS_PKGDATADIR: this.#ovs.data }
    const options = { env, stdio: 'ignore', timeout: 90_000, killSignal: 'SIGKILL' } as const
    const child = spawn(program, args, options)
    this.#children.push(child)
    return child
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      const ended = once(child, 'close')
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await ended
      }
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}
