import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { AdminClient } from '../../src/switch/admin/client.js'
import { patient } from '../support/patience.js'

const VSWITCH = fileURLToPath(new URL('../../src/switch/cli/main.js', import.meta.url))

/** Longer than the longest soak: it ends even if whoever started it cannot end it. */
const LIFE_MS = 24 * 3600 * 1000
const PATIENCE_MS = patient(20_000)

/** `vswitch run`, killed and started again with the same configuration. */
export class SwitchProcess implements AsyncDisposable {
  readonly file: string
  readonly client: AdminClient
  readonly #socket: string
  #child: ChildProcess | undefined
  #ended: Promise<unknown> = Promise.resolve()
  #log = ''

  constructor(folder: string) {
    this.file = join(folder, 'vswitch.json')
    this.#socket = join(folder, 'admin.sock')
    this.client = new AdminClient(this.#socket, PATIENCE_MS)
  }

  get pid(): number {
    const { pid } = this.#child ?? {}
    if (pid === undefined) throw new Error('the switch does not run')
    return pid
  }

  /** The end of what it logged. */
  get log(): string {
    return this.#log
  }

  write(config: object): void {
    const datapath = { memory: 'memfd', memoryMiB: 128 }
    const admin = { socket: this.#socket }
    writeFileSync(this.file, JSON.stringify({ datapath, admin, ...config }))
  }

  /** Resolves once it answers. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [VSWITCH, 'run', this.file], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: LIFE_MS,
      killSignal: 'SIGKILL',
    })
    child.stderr?.on('data', (data: Buffer) => {
      this.#log = (this.#log + data.toString()).slice(-4000)
    })
    this.#child = child
    this.#ended = once(child, 'close')
    for (const end = performance.now() + PATIENCE_MS; ; await sleep(5)) {
      this.check()
      if (await this.client.isListening()) return
      if (performance.now() > end) throw new Error(`the switch does not answer:\n${this.#log}`)
    }
  }

  /** @throws Error when it has ended by itself */
  check(): void {
    const { exitCode = null, signalCode = null } = this.#child ?? {}
    if (exitCode === null && signalCode === null) return
    throw new Error(`the switch ended with ${exitCode ?? signalCode}:\n${this.#log}`)
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}
