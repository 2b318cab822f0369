import { setTimeout as sleep } from 'node:timers/promises'
import { socketFolder, until } from '../support/loopback.js'
import { patient } from '../support/patience.js'
import { Guest } from './guest.js'
import { guestPage, type Page } from './ledger.js'
import { SwitchProcess } from './switch-process.js'

const QUIET_MS = 200
const PATIENCE_MS = patient(20_000)
const PING_MS = 200

/** A switch with guests, and what its configuration is to be. */
export class Stage implements AsyncDisposable {
  readonly #folder = socketFolder()
  readonly vswitch = new SwitchProcess(this.#folder.path)
  /** Nothing is done to them; they are to lose nothing. */
  readonly steady: readonly [Guest, Guest] = [this.#guest('a', 1), this.#guest('b', 2)]
  /** They die, stand still, and are reconfigured. */
  readonly doomed: readonly [Guest, Guest] = [this.#guest('c', 3), this.#guest('d', 4)]
  /** How often the port of a guest was made anew. */
  readonly remade: Record<string, number> = {}
  /** Paths that no guest listens at. */
  readonly spare = ['x', 'y'].map((name) => ({ name, path: this.path(name) }))

  get guests(): readonly Guest[] {
    return [...this.steady, ...this.doomed]
  }

  get client() {
    return this.vswitch.client
  }

  path(name: string): string {
    return `${this.#folder.path}/${name}.sock`
  }

  /** Writes a configuration: the basic one, with changes. */
  configure({ bridge = {}, ports = [] }: { bridge?: object; ports?: readonly object[] } = {}) {
    this.vswitch.write({
      bridges: [
        { name: 'br0', ...bridge },
        { name: 'br1', flows: ['in_port=e,actions=output:f', 'in_port=f,actions=output:e'] },
      ],
      ports: [
        ...this.guests.map(({ port }) => port),
        ...['e', 'f'].map((name) => this.wired(name)),
        ...ports,
      ],
    })
  }

  /** One of two ports that are wired together, beside the bridge of all others. */
  private wired(name: string): object {
    const reconnect = { firstDelayMs: 1, maxDelayMs: 5 }
    // Its guests come and go as fast as they can, which would be held against them.
    const limits = { reconnect, flapLimit: 0 }
    return { name, type: 'dpdkvhostuserclient', path: this.path(name), bridge: 'br1', ...limits }
  }

  async start(): Promise<void> {
    this.configure()
    for (const guest of this.guests) await guest.start()
    await this.vswitch.start()
    await this.linksUp()
  }

  async linksUp(): Promise<void> {
    await Promise.all(this.guests.map((guest) => guest.linkUp()))
  }

  /** All guests can reach one another. @throws Error naming who cannot */
  async pingAll(): Promise<void> {
    const [first, ...others] = this.guests as [Guest, ...Guest[]]
    for (const other of others) {
      const isAnswered = async () => {
        const { received } = await first.host.ping(other.ip, { count: 1, timeoutMs: PING_MS })
        return received === 1
      }
      // Where there is other traffic, one may be lost to a full ring.
      await until(`${first.name} can ping ${other.name}`, isAnswered, PATIENCE_MS)
    }
  }

  /** The books, once nothing moves any more. */
  async page(): Promise<Page> {
    let page = await this.#now()
    let text = ''
    for (const end = performance.now() + patient(PATIENCE_MS); ; ) {
      const counts = JSON.stringify([page.stats.ports, page.guests])
      if (counts === text) return page
      if (performance.now() > end) throw new Error(`frames still move after ${PATIENCE_MS} ms`)
      text = counts
      await sleep(QUIET_MS)
      page = await this.#now()
    }
  }

  async #now(): Promise<Page> {
    const [stats, lcores, guests] = await Promise.all([
      this.client.stats(),
      this.client.lcores(),
      Promise.all(this.guests.map(guestPage)),
    ])
    return { stats, lcores, guests, remade: { ...this.remade } }
  }

  #guest(name: string, number: number): Guest {
    return new Guest(name, this.path(name), `10.0.0.${number}`, `02:00:00:00:00:0${number}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vswitch.kill()
    await Promise.all(this.guests.map((guest) => guest.close()))
    this.#folder[Symbol.dispose]()
  }
}
