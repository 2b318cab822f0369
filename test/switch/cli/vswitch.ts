/** The command `vswitch` as a user has it: processes of its own, killed after a hard limit. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { socketFolder, until } from '../../support/loopback.js'
import { patient } from '../../support/patience.js'

/** What is installed as `vswitch`. */
export const MAIN = fileURLToPath(new URL('../../../src/switch/cli/main.js', import.meta.url))

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RanOptions {
  readonly socket?: string | undefined
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
  readonly uid?: number
}

const LIMIT_MS = 60_000

/** Runs the command to its end. */
export async function vswitch(args: readonly string[], options: RanOptions = {}): Promise<Ran> {
  const { socket, env = {}, input, uid } = options
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...plainEnv(), ...(socket === undefined ? {} : { VSWITCH_SOCKET: socket }), ...env },
    timeout: patient(LIMIT_MS),
    killSignal: 'SIGKILL',
    ...(uid === undefined ? {} : { uid }),
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (data) => {
      output[name] += data
    })
  }
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [code] = await once(child, 'close')
  return { code, ...output }
}

/** Without what a shell, or a service manager, may have told this process. */
function plainEnv(): NodeJS.ProcessEnv {
  const unwanted = /^(VSWITCH_|NOTIFY_SOCKET$|WATCHDOG_|JOURNAL_STREAM$|NO_COLOR$|FORCE_COLOR$)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !unwanted.test(name)))
}

/** A subcommand that runs until it is told to end. */
export class VswitchProcess implements AsyncDisposable {
  readonly process: ChildProcess
  /** Its exit code. */
  readonly ended: Promise<number | null>
  /** What it wrote to standard error. */
  log = ''

  constructor(
    args: readonly string[],
    { env = {}, limitMs = LIMIT_MS }: { env?: NodeJS.ProcessEnv; limitMs?: number } = {},
  ) {
    this.process = spawn(process.execPath, [MAIN, ...args], {
      stdio: ['ignore', 'inherit', 'pipe'],
      env: { ...plainEnv(), ...env },
      timeout: patient(limitMs),
      killSignal: 'SIGKILL',
    })
    this.process.stderr?.on('data', (data) => {
      this.log += data
    })
    this.ended = once(this.process, 'close').then(([code]) => code)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGKILL')
    }
    await this.ended
  }
}

/** `vswitch run` in a folder of its own. */
export class RunningSwitch implements AsyncDisposable {
  readonly folder = socketFolder()
  readonly config = join(this.folder.path, 'vswitch.json')
  readonly socket = join(this.folder.path, 'admin.sock')
  readonly #running: VswitchProcess

  private constructor(config: object, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.write(config)
    this.#running = new VswitchProcess(['run', this.config, ...args], { env, limitMs: 240_000 })
  }

  get process(): ChildProcess {
    return this.#running.process
  }

  get ended(): Promise<number | null> {
    return this.#running.ended
  }

  /** What it wrote to standard error. */
  get log(): string {
    return this.#running.log
  }

  /** Resolves once it serves. */
  static async start(
    config: object,
    { args = [], env = {} }: { args?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
  ): Promise<RunningSwitch> {
    const running = new RunningSwitch(config, args, env)
    try {
      await running.logged('the switch runs')
      return running
    } catch (error) {
      await running[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Writes the configuration, or one beside it, with a small datapath. */
  write(config: object, name = 'vswitch.json'): void {
    const datapath = { memory: 'memfd', memoryMiB: 64 }
    const admin = { socket: this.socket }
    writeFileSync(this.path(name), JSON.stringify({ datapath, admin, ...config }))
  }

  path(name: string): string {
    return join(this.folder.path, name)
  }

  /** A port to a peer at the socket of that name, as in the configuration. */
  port(name: string, more: object = {}): object {
    return { name, type: 'dpdkvhostuserclient', path: this.path(`${name}.sock`), ...more }
  }

  /** Runs another subcommand against it. */
  ask(args: readonly string[], options: RanOptions = {}): Promise<Ran> {
    return vswitch(args, { socket: this.socket, ...options })
  }

  /** Resolves once it has logged that text, from a place in the log on. */
  async logged(text: string, from = 0): Promise<void> {
    const hasEnded = () => this.process.exitCode !== null || this.process.signalCode !== null
    const isThere = () => this.log.indexOf(text, from) >= 0
    await until(`logged "${text}"`, () => isThere() || hasEnded()).catch((error) => {
      throw new Error(`${error.message}\n${this.log}`)
    })
    if (!isThere()) throw new Error(`it ended without "${text}":\n${this.log}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running[Symbol.asyncDispose]()
    this.folder[Symbol.dispose]()
  }
}
