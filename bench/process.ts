import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'

/** How much of what a child printed is kept for its last words. */
const KEPT = 64 * 1024

/**
 * A child that does not outlive the bench: the kernel kills it when this process ends, however that
 * comes about. It is only ever ended by SIGKILL, since a polling loop hears nothing else in time.
 */
export class BenchProcess implements AsyncDisposable {
  readonly child: ChildProcess
  /** Rejects when it ends, unless it was asked to. For `Promise.race`. */
  readonly failed: Promise<never>
  readonly #name: string
  readonly #exited: Promise<unknown>
  #output = ''
  #ending = false

  constructor(name: string, command: string, args: readonly string[], options: SpawnOptions) {
    this.#name = name
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], options)
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT)
      })
    }
    this.#exited = once(this.child, 'close').catch(() => {})
    this.failed = this.#whenItEnds()
    this.failed.catch(() => {})
  }

  get pid(): number {
    return this.child.pid as number
  }

  /** What it printed last, on both streams. */
  get output(): string {
    return this.#output
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true
    this.child.kill('SIGKILL')
    await this.#exited
  }

  async #whenItEnds(): Promise<never> {
    const spawnError = await new Promise<Error | undefined>((resolve) => {
      this.child.once('error', resolve)
      this.child.once('close', () => resolve(undefined))
    })
    if (this.#ending) return new Promise(() => {})
    const why = spawnError?.message ?? this.child.signalCode ?? `code ${this.child.exitCode}`
    const words = this.#output.trim().split('\n').slice(-20).join('\n')
    throw new Error(`${this.#name} ended (${why})${words && `; it said last:\n${words}`}`)
  }
}
