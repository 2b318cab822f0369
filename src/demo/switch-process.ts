import { type ChildProcess, fork } from 'node:child_process'
import type { SwitchCounters, SwitchReport } from './switch-report.js'

const ENTRY = new URL('./switch-main.js', import.meta.url)

type Of<Kind extends SwitchReport['kind']> = Extract<SwitchReport, { kind: Kind }>

/** The switch's process, seen from the demo. */
export class SwitchProcess {
  /** When it was started, in milliseconds since the epoch. */
  readonly startedAt = Date.now()
  readonly #child: ChildProcess
  readonly #sockets: readonly string[]
  readonly #onPort: (event: Of<'port'>) => void
  readonly #ready = new Map<string, Of<'port'>>()
  readonly #watchers = new Set<() => void>()
  readonly #exited: Promise<void>
  #info: Of<'open'> | undefined
  #counters: SwitchCounters | undefined
  #failure: Error | undefined
  #output = ''

  constructor(sockets: readonly string[], onPort: (event: Of<'port'>) => void) {
    this.#sockets = sockets
    this.#onPort = onPort
    this.#child = fork(ENTRY, sockets, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-2000)
    })
    this.#child.on('message', (report: SwitchReport) => this.#receive(report))
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (error) => this.#end(error.message, resolve))
      this.#child.once('close', (code, signal) => {
        const words = this.#output.trim() === '' ? '' : `: ${this.#output.trim()}`
        this.#end(`ended ${signal ? `by ${signal}` : `with code ${code}`}${words}`, resolve)
      })
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get info(): Of<'open'> | undefined {
    return this.#info
  }

  /** The counters reported last. */
  get counters(): SwitchCounters | undefined {
    return this.#counters
  }

  /** Resolves when both ports are ready. */
  async ready(signal: AbortSignal): Promise<readonly Of<'port'>[]> {
    while (this.#ready.size < this.#sockets.length) await this.#change(signal)
    return [...this.#ready.values()]
  }

  /** Resolves to counters reported from now on. */
  async freshCounters(signal: AbortSignal): Promise<SwitchCounters> {
    const before = this.#counters
    while (this.#counters === undefined || this.#counters === before) await this.#change(signal)
    return this.#counters
  }

  /** SIGKILL: it gets no chance to say goodbye to anybody. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  #receive(report: SwitchReport): void {
    switch (report.kind) {
      case 'open':
        this.#info = report
        break
      case 'counters':
        this.#counters = report
        break
      case 'failed':
        this.#failure = new Error(`the switch failed: ${report.message}`)
        break
      case 'port':
        if (report.state === 'ready') this.#ready.set(report.port, report)
        else this.#ready.delete(report.port)
        this.#onPort(report)
    }
    this.#wake()
  }

  #end(how: string, resolve: () => void): void {
    this.#failure ??= new Error(`the switch ${how}`)
    this.#wake()
    resolve()
  }

  #wake(): void {
    for (const wake of [...this.#watchers]) wake()
  }

  async #change(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#failure !== undefined) throw this.#failure
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#watchers.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#watchers.add(done)
      signal.addEventListener('abort', done)
    })
    signal.throwIfAborted()
  }
}
