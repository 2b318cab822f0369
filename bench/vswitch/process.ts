import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AdminClient } from '../../src/switch/admin/client.js'
import { BenchProcess } from '../process.js'
import type { Setup } from '../setup.js'
import { untilReady, VSWITCH } from './launched.js'

/** How it is run, where that matters. */
export interface Running {
  /** Options of Node.js. */
  readonly nodeOptions?: readonly string[]
  /** Where all but the lcores is to run; default: wherever the kernel likes. */
  readonly cpu?: number
  /** Whether it can be sent messages. */
  readonly ipc?: boolean
}

/** A `vswitch run`, with a configuration and an admin socket in its folder. */
export class VswitchProcess implements AsyncDisposable {
  protected readonly process: BenchProcess
  protected readonly client: AdminClient
  /** Of its admin. */
  readonly socket: string

  constructor(
    { folder }: Pick<Setup, 'folder'>,
    config: object,
    { nodeOptions = [], cpu, ipc = false }: Running = {},
  ) {
    this.socket = join(folder, 'admin.sock')
    this.client = new AdminClient(this.socket)
    const file = join(folder, 'vswitch.json')
    writeFileSync(file, JSON.stringify({ ...config, admin: { socket: this.socket } }))
    const pinned = cpu === undefined ? [] : ['taskset', '-c', `${cpu}`]
    const [command, ...args] = [...pinned, process.execPath, ...nodeOptions, VSWITCH, 'run', file]
    this.process = new BenchProcess('vswitch', command as string, args, {
      stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
      env: { ...process.env, RUNTIME_DIRECTORY: folder },
    })
  }

  get pid(): number {
    return this.process.pid
  }

  get failed(): Promise<never> {
    return this.process.failed
  }

  started(): Promise<void> {
    return untilReady(this.client, this.process)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.process[Symbol.asyncDispose]()
  }
}
