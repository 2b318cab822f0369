import { type ChildProcess, fork } from 'node:child_process'
import { TestHostError } from './errors.js'
import type { TestHostSpec } from './options.js'
import type { FromHost, ToHost } from './protocol.js'

const ENTRY = new URL('./host-main.js', import.meta.url)

/** How long a host has to end by itself before it is killed. */
const END_MS = 1000

/** Lines of its output that are kept to explain its end. */
const LINES_KEPT = 20

type Question = Extract<ToHost, { id: number }>
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

/** What is heard from a host without asking. */
export interface HostListener {
  onLink(link: Extract<FromHost, { kind: 'link' }>): void
  onLog(line: string): void
  onEnd(error: TestHostError): void
}

/** A host's process, seen from the one that asked for it. */
export class HostProcess {
  readonly #spec: TestHostSpec
  readonly #child: ChildProcess
  readonly #listener: HostListener
  readonly #pending = new Map<
    number,
    { resolve(value: unknown): void; reject(error: TestHostError): void }
  >()
  /** Resolves when nothing of it is left. */
  readonly exited: Promise<void>
  readonly #lines: string[] = []
  #nextId = 1
  #failure: string | undefined
  #ended: TestHostError | undefined
  #closing = false

  constructor(spec: TestHostSpec, listener: HostListener) {
    this.#spec = spec
    this.#listener = listener
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    this.#child = fork(ENTRY, [spec.name], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Options such as --test or --inspect are not meant for it.
      execArgv: process.execArgv.includes('--enable-source-maps') ? ['--enable-source-maps'] : [],
      env,
    })
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#note(chunk))
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#note(chunk))
    this.#child.on('message', (message) => this.#receive(message as FromHost))
    this.exited = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#end(`could not be started: ${error.message}`)
        resolve()
      })
      this.#child.once('close', (code, signal) => {
        this.#end(this.#howItEnded(code, signal))
        resolve()
      })
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  ask(question: Without<Question, 'id'>): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      // Its end, which settles the question too, may be noticed a moment later.
      this.#child.send({ ...question, id } as Question, () => {})
    })
  }

  /** Ends it by SIGKILL, as a crash would. */
  async kill(): Promise<void> {
    this.#closing = true
    this.#child.kill('SIGKILL')
    await this.exited
  }

  /** Ends it and resolves when nothing of it is left. */
  async close(): Promise<void> {
    if (this.#child.connected) {
      this.#closing = true
      this.#child.send({ kind: 'close' } satisfies ToHost, () => {})
    }
    const impatience = setTimeout(() => this.#child.kill('SIGKILL'), END_MS)
    await this.exited
    clearTimeout(impatience)
  }

  #receive(message: FromHost): void {
    switch (message.kind) {
      case 'link':
        this.#listener.onLink(message)
        return
      case 'log':
        this.#keep(message.line)
        this.#listener.onLog(message.line)
        return
      case 'failed':
        this.#failure = message.message
        this.#child.kill('SIGKILL')
        return
      case 'answer':
        this.#settle(message.id)?.resolve(message.value)
        return
      case 'refusal':
        this.#settle(message.id)?.reject(
          new TestHostError('ERR_HOST_REFUSED', `${this.#spec.name}: ${message.message}`),
        )
    }
  }

  #settle(id: number) {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }

  #note(chunk: Buffer): void {
    for (const line of chunk.toString().split('\n')) if (line.trim() !== '') this.#keep(line)
  }

  #keep(line: string): void {
    this.#lines.push(line)
    if (this.#lines.length > LINES_KEPT) this.#lines.shift()
  }

  #howItEnded(code: number | null, signal: NodeJS.Signals | null): string {
    if (this.#failure !== undefined) return `failed: ${this.#failure}`
    if (this.#closing) return 'was ended'
    const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`
    const last = this.#lines.length === 0 ? '' : `; its last words:\n  ${this.#lines.join('\n  ')}`
    return how + last
  }

  #end(how: string): void {
    if (this.#ended !== undefined) return
    this.#ended = new TestHostError('ERR_HOST_ENDED', `test host ${this.#spec.name} ${how}`)
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(this.#ended)
    this.#listener.onEnd(this.#ended)
  }
}
