import { join } from 'node:path'
import { type Capture, TestHost } from '../../src/testkit/index.js'
import { until } from '../support/loopback.js'

/** A frame that a guest sends. */
export interface Sent {
  /** Which guest, from 0. */
  readonly port: number
  readonly bytes: Uint8Array
}

/** What each guest got: frames in hexadecimal, sorted, since switches may change the order of frames of different flows. */
export type Received = string[][]

/** Marks the end of frames, where nobody counts them. No rule of a test is to match it, or to be more important than this one. */
export const MARKER_RULE =
  'priority=65535,dl_dst=02:fe:fe:fe:fe:fe,dl_type=0x88b6,actions=in_port,flood'

const MARKER = '02fefefefefe02fefefefefe88b6'
const MARKER_BYTES = 60

/** How long a switch may take to bring a marker everywhere. */
const PATIENCE_MS = 20_000
const LOOK_MS = 4

interface Counted {
  readonly taken: number
  readonly given: readonly number[]
}

/** A switch that counts, and so needs no markers. */
export interface Accounts {
  /** Frames it took from its guests, all together, and frames it gave to each. */
  frames(): Counted | Promise<Counted>
  /** Resolves when all that it took by now has been given. */
  settled(): Promise<void>
}

/** A guest on each port of a switch, listening on sockets `0`, `1`, ... of a folder. */
export class Guests implements AsyncDisposable {
  readonly #hosts: readonly TestHost[]
  readonly #captures: Capture[] = []
  #accounts: Accounts | undefined
  #markers = 0

  private constructor(hosts: readonly TestHost[]) {
    this.#hosts = hosts
  }

  static async start(folder: string, name: string, count: number): Promise<Guests> {
    const starting = Array.from({ length: count }, (_, i) =>
      TestHost.start({
        name: `${name}${i}`,
        path: socketOf(folder, i),
        maxLifetimeMs: 5 * 60_000,
      }),
    )
    const started = await Promise.allSettled(starting)
    const guests = new Guests(
      started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
    )
    const failed = started.find((one) => one.status === 'rejected')
    if (failed === undefined) return guests
    await guests[Symbol.asyncDispose]()
    throw failed.reason
  }

  /**
   * Resolves once the switch is connected to all of them.
   *
   * @param accounts - tell where frames end, instead of markers
   */
  async up(accounts?: Accounts): Promise<void> {
    this.#accounts = accounts
    await Promise.all(this.#hosts.map((host) => host.linkUp({ timeoutMs: 20_000 })))
    for (const host of this.#hosts) this.#captures.push(await host.capture({ limit: 100_000 }))
  }

  /** Has frames sent, and resolves to all that comes of them. */
  async exchange(frames: readonly Sent[]): Promise<Received> {
    const received: Received = this.#hosts.map(() => [])
    const before = await this.#accounts?.frames()
    await Promise.all(frames.map(({ port, bytes }) => this.#hosts[port]?.sendFrame(bytes)))
    if (this.#accounts !== undefined && before !== undefined) {
      await this.#count(received, this.#accounts, before, frames.length)
    } else {
      // What the switch takes together with a marker may leave after it: all of it has left before a second one is taken.
      await this.#fence(received)
      await this.#fence(received)
    }
    for (const frames of received) frames.sort()
    return received
  }

  /** Takes what the switch says that it gave since `before`, once it took `sent` frames. */
  async #count(
    received: Received,
    accounts: Accounts,
    before: Counted,
    sent: number,
  ): Promise<void> {
    const taken = async () => (await accounts.frames()).taken - before.taken
    await until(`the switch took ${sent} frames`, async () => (await taken()) >= sent, PATIENCE_MS)
    await accounts.settled()
    const { given } = await accounts.frames()
    const deadline = performance.now() + PATIENCE_MS
    await Promise.all(
      this.#captures.map(async (capture, i) => {
        const frames = received[i] as string[]
        const expected = (given[i] as number) - (before.given[i] as number)
        while (frames.length < expected) {
          if (performance.now() > deadline) {
            const name = this.#hosts[i]?.name
            throw new Error(`${name} got ${frames.length} of the ${expected} frames given to it`)
          }
          for (const frame of await capture.take(100_000, { timeoutMs: LOOK_MS }))
            frames.push(Buffer.from(frame).toString('hex'))
        }
      }),
    )
  }

  /** A guest's marker comes to every guest, after all that the switch took from that guest before. */
  async #fence(received: Received): Promise<void> {
    const text = MARKER + this.#markers.toString(16).padStart(2 * (MARKER_BYTES - 14), '0')
    this.#markers++
    const marker = Buffer.from(text, 'hex')
    await Promise.all(this.#hosts.map((host) => host.sendFrame(marker)))
    const deadline = performance.now() + PATIENCE_MS
    await Promise.all(
      this.#captures.map(async (capture, i) => {
        for (let seen = 0; seen < this.#hosts.length; ) {
          if (performance.now() > deadline) {
            throw new Error(`${this.#hosts[i]?.name} got ${seen} of ${this.#hosts.length} markers`)
          }
          for (const frame of await capture.take(100_000, { timeoutMs: LOOK_MS })) {
            const hex = Buffer.from(frame).toString('hex')
            if (hex === text) seen++
            else received[i]?.push(hex)
          }
        }
      }),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.close()))
  }
}

export function socketOf(folder: string, port: number): string {
  return join(folder, `${port}`)
}
