import type { VirtualMachine } from '../../../src/testkit/index.js'
import { until } from '../../support/loopback.js'

/** A ping that runs in a guest while something happens to it or to its switch. */
export class Pinging implements AsyncDisposable {
  readonly #stop = new AbortController()
  readonly #ended: Promise<unknown>
  readonly #address: string
  #answers = 0
  #failure: string | undefined

  constructor(guest: VirtualMachine, address: string) {
    this.#address = address
    const onLine = (line: string) => {
      if (line.includes(' bytes from ')) this.#answers++
    }
    const options = { signal: this.#stop.signal, timeoutMs: 10 * 60_000, onLine }
    this.#ended = guest.run(`ping -i 0.1 ${address}`, options).then(
      ({ output }) => {
        this.#failure = output
      },
      (error: Error) => {
        if (!this.#stop.signal.aborted) this.#failure = error.message
      },
    )
  }

  /** Resolves when some more pings were answered than have been until now. */
  async goesOn(): Promise<void> {
    const enough = this.#answers + 5
    await until(
      `pings to ${this.#address} are answered`,
      () => this.#answers >= enough || this.#failure !== undefined,
      120_000,
    )
    if (this.#failure !== undefined) throw new Error(`the ping ended: ${this.#failure}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('no more pings are needed'))
    await this.#ended
  }
}
