/**
 * QEMU's monitor, spoken to in its machine protocol (QMP): one JSON document a line.
 *
 * @packageDocumentation
 */
import type { Duplex } from 'node:stream'
import { LineSplitter } from './line-splitter.js'

interface Message {
  readonly QMP?: unknown
  readonly id?: number
  readonly return?: unknown
  readonly error?: { readonly desc: string }
  readonly event?: string
}

interface Pending {
  resolve(value: unknown): void
  reject(error: Error): void
}

/**
 * A connection to the monitor. QEMU answers once its main loop runs, and that is after the first vhost-user
 * connection: until then {@link greeted} is pending and commands wait.
 */
export class Monitor {
  /** Resolves when QEMU has started its main loop. Never rejects. */
  readonly greeted: Promise<void>
  readonly #stream: Duplex
  readonly #onEvent: (event: string) => void
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #failure: Error | undefined
  #greet = (): void => {}

  constructor(stream: Duplex, onEvent: (event: string) => void) {
    this.#stream = stream
    this.#onEvent = onEvent
    this.greeted = new Promise((resolve) => {
      this.#greet = resolve
    })
    const lines = new LineSplitter((line) => this.#receive(JSON.parse(line) as Message))
    stream.on('data', (chunk: Buffer) => lines.push(chunk))
    stream.on('error', () => {})
    // Nothing else is accepted before this.
    void this.execute('qmp_capabilities').catch(() => {})
  }

  /** Runs a monitor command and gives its return value. */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const id = ++this.#lastId
    this.#stream.write(
      `${JSON.stringify({ execute: command, id, ...(args && { arguments: args }) })}\n`,
    )
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
    })
  }

  /** QEMU has ended: no answer will come. */
  fail(error: Error): void {
    this.#failure = error
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }

  #receive(message: Message): void {
    if (message.QMP !== undefined) this.#greet()
    if (message.event !== undefined) this.#onEvent(message.event)
    if (message.id === undefined) return
    const pending = this.#pending.get(message.id)
    this.#pending.delete(message.id)
    if (message.error !== undefined) pending?.reject(new Error(message.error.desc))
    else pending?.resolve(message.return)
  }
}
