import type { HostRequest } from '../traffic/host-program.js'

/** Frames that a host keeps as they arrive. */
export class Capture implements AsyncDisposable {
  readonly #id: number
  readonly #ask: (request: HostRequest) => Promise<unknown>

  /** @internal */
  constructor(id: number, ask: (request: HostRequest) => Promise<unknown>) {
    this.#id = id
    this.#ask = ask
  }

  /**
   * Takes the oldest frames that were not taken yet.
   *
   * @returns `count` of them, or fewer when no more came in time (default 1000 ms)
   */
  async take(
    count: number,
    { timeoutMs = 1000 }: { timeoutMs?: number | undefined } = {},
  ): Promise<Uint8Array[]> {
    const taken = await this.#ask({ kind: 'take', id: this.#id, count, timeoutMs })
    return taken as Uint8Array[]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ask({ kind: 'endCapture', id: this.#id }).catch(() => {})
  }
}
