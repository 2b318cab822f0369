import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { BenchProcess } from '../process.js'
import { ask } from './ask.js'

/** What is asked of the switch, so many times a second. */
export const RATES = {
  /** Prometheus comes once in 15 seconds. */
  scrapes: 10,
  /** Status, ports, counters, addresses: a script that watches, and then some. */
  calls: 100,
  /** A rule comes, and goes: an agent that is busy. */
  rules: 20,
} as const
export type Task = keyof typeof RATES

export type ManagerRequest = { kind: 'start'; task: Task } | { kind: 'stop' }

export interface ManagerReply {
  readonly kind: 'done'
  /** Calls that were answered since the start. */
  readonly calls: number
}

/** Whoever manages the switch: a process of its own, on a CPU that is not the lcore's. */
export class Manager implements AsyncDisposable {
  readonly #process: BenchProcess
  readonly #started: Promise<unknown>

  constructor(socket: string, cpu: number) {
    const script = fileURLToPath(new URL('./manager-main.js', import.meta.url))
    const args = ['-c', `${cpu}`, process.execPath, script, socket]
    this.#process = new BenchProcess('manager', 'taskset', args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.#started = Promise.race([once(this.#process.child, 'message'), this.#process.failed])
    this.#started.catch(() => {})
  }

  get failed(): Promise<never> {
    return this.#process.failed
  }

  async start(task: Task): Promise<void> {
    await this.#started
    await ask(this.#process, { kind: 'start', task } satisfies ManagerRequest)
  }

  /** @returns calls that were answered */
  async stop(): Promise<number> {
    return (await ask<ManagerReply>(this.#process, { kind: 'stop' } satisfies ManagerRequest)).calls
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]()
  }
}
