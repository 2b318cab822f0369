import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AdminClient } from '../../src/switch/admin/client.js'
import type { RunningSwitch, Work } from '../contender.js'
import { BenchProcess } from '../process.js'
import type { Setup } from '../setup.js'
import { untilReady, VSWITCH } from '../vswitch/launched.js'
import { deniedRules } from '../vswitch/roles.js'
import { ask } from './ask.js'
import type { Collections, GcReply } from './watch.js'

const WATCH = new URL('./watch.js', import.meta.url).href

/** Rules that are in force all the time, before the last that switches. */
const RULES = 100

/**
 * `vswitch run` with a bridge and 100 rules, whose garbage collections can be counted. All of it but its lcore is on the tester's
 * CPU, since an lcore has a CPU of its own where it matters.
 */
export class WatchedSwitch implements RunningSwitch {
  /** Of its admin socket. */
  readonly socket: string
  readonly #process: BenchProcess
  readonly #client: AdminClient

  constructor({ burst, sockets, folder, cpus, memory }: Setup) {
    this.socket = join(folder, 'admin.sock')
    this.#client = new AdminClient(this.socket)
    const config = join(folder, 'vswitch.json')
    const text = JSON.stringify({
      datapath: { memory: memory.kind, memoryMiB: memory.mib },
      lcores: [{ name: 'lcore0', cpu: cpus.switch, burst, idle: 'spin' }],
      bridges: [{ name: 'br0', flows: deniedRules(RULES) }],
      ports: sockets.map((path, i) => ({ name: `vhost${i}`, type: 'dpdkvhostuserclient', path })),
      admin: { socket: this.socket },
    })
    writeFileSync(config, text)
    const node = [process.execPath, '--import', WATCH, VSWITCH, 'run', config]
    this.#process = new BenchProcess('vswitch', 'taskset', ['-c', `${cpus.generator}`, ...node], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, RUNTIME_DIRECTORY: folder },
    })
  }

  get pid(): number {
    return this.#process.pid
  }

  get failed(): Promise<never> {
    return this.#process.failed
  }

  started(): Promise<void> {
    return untilReady(this.#client, this.#process)
  }

  async begin(): Promise<void> {}

  /** Garbage collections of each of its isolates since it was started. */
  async collections(): Promise<readonly Collections[]> {
    return (await ask<GcReply>(this.#process, { kind: 'gc' })).isolates
  }

  async countCycles(): Promise<void> {}

  work(): Promise<Work> {
    throw new Error('its cycles are not counted here')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]()
  }
}
