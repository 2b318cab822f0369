import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const VSWITCH = fileURLToPath(new URL('../../lib/vswitch.cjs', import.meta.url))
const LIMIT_MS = 10_000

/** `vswitch run`, in a process of its own. */
export class VswitchProcess {
  /** When it was started, in milliseconds since the epoch. */
  readonly startedAt = Date.now()
  readonly #child: ChildProcess
  readonly #exited: Promise<void>
  #output = ''
  #ended = false

  /**
   * @param config - path of its configuration
   * @param within - makes the command line that starts it where it is to run
   */
  constructor(config: string, within: (...words: string[]) => string[]) {
    const [command, ...args] = within(process.execPath, VSWITCH, 'run', config)
    this.#child = spawn(command as string, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-2000)
      })
    }
    this.#exited = new Promise((resolve) => {
      const end = () => {
        this.#ended = true
        resolve()
      }
      this.#child.once('error', end)
      this.#child.once('close', end)
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** @throws Error with its last words when it has ended by itself */
  check(): void {
    if (this.#ended) throw new Error(`vswitch ended: ${this.#output.trim()}`)
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }
}

/** What a subcommand of `vswitch` prints about the switch behind an admin socket. */
export async function askVswitch(socket: string, ...words: string[]): Promise<string> {
  const args = [VSWITCH, ...words, '--socket', socket]
  const { stdout } = await run(process.execPath, args, { timeout: LIMIT_MS })
  return stdout
}
