import type { VirtualMachine } from '../testkit/index.js'

/** Longest time without an answer. */
export interface PingGap {
  readonly ms: number
  /** When the answer that ended it came, in milliseconds since the epoch. */
  readonly endedAt: number
}

/** BusyBox's ping in a guest, watched from outside. */
export class GuestPing {
  /** Resolves to its counts. */
  readonly done: Promise<{ readonly sent: number; readonly answered: number }>
  #lastAt = 0
  #longest: PingGap | undefined

  constructor(
    guest: VirtualMachine,
    address: string,
    { count, intervalMs }: { readonly count: number; readonly intervalMs: number },
    signal: AbortSignal,
    onLine: (line: string) => void = () => {},
  ) {
    // -w ends it even when the last answers never come.
    const seconds = Math.ceil((count * intervalMs) / 1000) + 3
    const command = `ping -c ${count} -i ${intervalMs / 1000} -w ${seconds} ${address}`
    const timeoutMs = (seconds + 15) * 1000
    const watch = (line: string) => {
      if (line.includes(' bytes from ')) this.#answered()
      onLine(line)
    }
    this.done = guest.run(command, { signal, timeoutMs, onLine: watch }).then(({ output }) => {
      const counts = /(\d+) packets transmitted, (\d+) packets received/.exec(output)
      if (counts === null) throw new Error(`${guest.spec.name} cannot ping: ${output.trim()}`)
      return { sent: Number(counts[1]), answered: Number(counts[2]) }
    })
    // Whoever gives up early does not wait for it.
    this.done.catch(() => {})
  }

  get longestGap(): PingGap | undefined {
    return this.#longest
  }

  #answered(): void {
    const now = Date.now()
    const ms = now - this.#lastAt
    if (this.#lastAt !== 0 && ms > (this.#longest?.ms ?? 0)) this.#longest = { ms, endedAt: now }
    this.#lastAt = now
  }
}
