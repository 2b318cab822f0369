import { Datapath } from '../../src/index.js'
import { noFdLeft, openFds } from '../hostile/fds.js'
import { HostileGuest, type Report } from '../hostile/guest.js'
import { SMALL, socketFolder, until } from '../support/loopback.js'

export interface Cases {
  /** Number of the first case; each case follows from its number alone. */
  seed: number
  cases: number
  /** File in which the case that is being played is noted. */
  now?: string | undefined
  timeoutMs?: number
}

/** A switch under two ports for a hostile guest, and two over which honest frames go on. */
export class FuzzedSwitch implements AsyncDisposable {
  readonly #folder = socketFolder()
  readonly #guest = new HostileGuest()
  /** Of the process, with all ports connected to nobody. */
  #fds: string[] | undefined

  private constructor(readonly datapath: Datapath) {}

  static async start(): Promise<FuzzedSwitch> {
    // Nobody is held down, or cases would wait for it.
    const fuzzed = new FuzzedSwitch(await Datapath.open({ ...SMALL, peerTimeoutMs: 0 }))
    const { datapath } = fuzzed
    const pairs = [
      ['a', 'b'],
      ['c', 'd'],
    ]
    for (const name of pairs.flat()) {
      const reconnect = { firstDelayMs: 1, maxDelayMs: 2 }
      const path = fuzzed.#path(name)
      const type = 'dpdkvhostuserclient'
      await datapath.addPort({ name, type, path, reconnect, flapLimit: 0 })
    }
    await datapath.launch('dpdk-vhost/programs/cross-connect', { data: { pairs } })
    // What is made once, by the first guests, is not a leak.
    await fuzzed.play({ seed: 1, cases: 1 })
    await fuzzed.#isQuiet()
    fuzzed.#fds = openFds()
    return fuzzed
  }

  /**
   * Plays cases; after each, honest frames went over other ports.
   *
   * @throws when a guest failed, or frames or file descriptors are left when all guests are gone
   */
  async play({ seed, cases, now, timeoutMs = 120_000 }: Cases): Promise<Report> {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => this.#path(name)) as [
      string,
      string,
      string,
      string,
    ]
    const wishes = { c, d, seed, cases, ...(now === undefined ? {} : { now }) }
    const report = await this.#guest.run('fuzz', a, b, wishes, timeoutMs)
    if (report.error !== undefined) throw new Error(report.error)
    if (this.#fds !== undefined) {
      await this.#isQuiet()
      await noFdLeft(this.#fds)
    }
    return report
  }

  /** All guests are gone, and all frames are free. */
  async #isQuiet(): Promise<void> {
    const ports = [...this.datapath.ports.values()]
    await until('all guests are gone', () =>
      ports.every(({ status }) => status.state === 'connecting'),
    )
    await until('no frame is left', () => this.datapath.framesInUse() === 0)
  }

  #path(name: string): string {
    return `${this.#folder.path}/${name}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.datapath.close()
    this.#folder[Symbol.dispose]()
  }
}
