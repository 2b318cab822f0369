import { TestHost } from '../../src/testkit/index.js'
import { patient } from '../support/patience.js'

const LINK_MS = patient(20_000)

/** Longer than the longest soak. */
const LIFE_MS = 24 * 3600 * 1000

/** A guest of the switch. It may die and be started again: each time is a life. */
export class Guest implements AsyncDisposable {
  #host: TestHost | undefined
  #lives = 0

  constructor(
    /** Also that of its port. */
    readonly name: string,
    readonly path: string,
    readonly ip: string,
    readonly mac: string,
  ) {}

  get host(): TestHost {
    if (this.#host === undefined) throw new Error(`${this.name} does not live`)
    return this.#host
  }

  get lives(): number {
    return this.#lives
  }

  /** Its port in a configuration. */
  get port() {
    const { name, path } = this
    const reconnect = { firstDelayMs: 1, maxDelayMs: 20 }
    return { name, path, type: 'dpdkvhostuserclient', reconnect }
  }

  async start(): Promise<void> {
    const { name, path, ip, mac } = this
    this.#host = await TestHost.start({ name, path, ip, mac, maxLifetimeMs: LIFE_MS })
    this.#lives++
  }

  linkUp() {
    return this.host.linkUp({ timeoutMs: LINK_MS })
  }

  /** It crashes. */
  async kill(): Promise<void> {
    await this.host.kill()
    await this.close()
  }

  async close(): Promise<void> {
    await this.#host?.close()
    this.#host = undefined
  }

  /** It stands still, as a guest does whose machine has no time for it, and goes on. */
  async standStill(ms: number): Promise<void> {
    const pid = this.host.pid as number
    process.kill(pid, 'SIGSTOP')
    try {
      await new Promise((resolve) => setTimeout(resolve, ms))
    } finally {
      process.kill(pid, 'SIGCONT')
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
