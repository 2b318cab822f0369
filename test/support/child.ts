import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { patient } from './patience.js'

/** How a child ended. */
export interface Ending {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** A child process of a test, killed after a hard limit whatever it does. */
export class Child implements AsyncDisposable {
  readonly process: ChildProcess
  readonly ended: Promise<Ending>
  #stdout = ''
  #stderr = ''
  readonly #messages: unknown[] = []

  constructor(script: URL, args: readonly string[] = [], { limitMs = 120_000, env = {} } = {}) {
    this.process = fork(fileURLToPath(script), args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...env },
    })
    this.process.stdout?.on('data', (data) => {
      this.#stdout += data
    })
    this.process.stderr?.on('data', (data) => {
      this.#stderr += data
    })
    this.process.on('message', (message) => this.#messages.push(message))
    const limit = setTimeout(() => this.process.kill('SIGKILL'), patient(limitMs))
    this.ended = once(this.process, 'close').then(([code, signal]) => {
      clearTimeout(limit)
      return { code, signal, stdout: this.#stdout, stderr: this.#stderr }
    })
  }

  /** The next message it sends; rejects with what it printed when it ends before. */
  async message(): Promise<unknown> {
    if (this.#messages.length === 0) {
      await Promise.race([once(this.process, 'message'), this.ended])
    }
    if (this.#messages.length === 0) {
      const { code, signal, stdout, stderr } = await this.ended
      throw new Error(`the child ended with ${code ?? signal}:\n${stdout}\n${stderr}`)
    }
    return this.#messages.shift()
  }

  send(message: object | string): void {
    this.process.send(message)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGKILL')
    }
    await this.ended
  }
}
