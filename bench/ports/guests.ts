import { Channel } from '../own/channel.js'
import { MANY_GUESTS_MS } from '../own/own-switch.js'

/** Most devices of a process: distributions build DPDK with 32. */
const GUESTS_OF_A_PROCESS = 30

/** Guests that are connected and send nothing, in as many processes as they need. */
export class IdleGuests implements AsyncDisposable {
  readonly #processes: readonly Channel<never, { kind: 'started' }>[]
  /** Resolves once a switch is connected to all of them. */
  readonly started: Promise<unknown>

  constructor(sockets: readonly string[], folder: string) {
    const script = new URL('./guests-main.js', import.meta.url)
    const count = Math.ceil(sockets.length / GUESTS_OF_A_PROCESS)
    this.#processes = Array.from({ length: count }, (_, i) => {
      const mine = sockets.slice(i * GUESTS_OF_A_PROCESS, (i + 1) * GUESTS_OF_A_PROCESS)
      return new Channel(`guests${i}`, script, mine, folder)
    })
    this.started = Promise.all(this.#processes.map((one) => one.reply('started', MANY_GUESTS_MS)))
    this.started.catch(() => {})
  }

  get pids(): number[] {
    return this.#processes.map(({ process }) => process.pid)
  }

  /** Has the kernel give them no time any more. */
  stop(): void {
    for (const { process } of this.#processes) process.child.kill('SIGSTOP')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((one) => one[Symbol.asyncDispose]()))
  }
}
