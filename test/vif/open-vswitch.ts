/** Open vSwitch in a folder of its own: a database and, if wanted, a daemon with OVS's dummy devices in place of DPDK. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

  startDaemon(): ChildProcess {
    const dummy = ['--enable-dummy=override', '--disable-system']
    return this.#start(this.#ovs.vswitchd, this.remote, ...dummy, `--unixctl=${this.folder}/ctl`)
  }

  vsctl(...args: string[]): string {
    return run(this.#ovs.vsctl, [`--db=${this.remote}`, ...args], '', this.#env)
  }

  #start(program: string, ...args: string[]): ChildProcess {
    const env = { ...process.env, ...this.#env }
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
