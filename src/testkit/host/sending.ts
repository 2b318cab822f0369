import type { HostRequest } from '../traffic/host-program.js'
import type { SendResult } from '../traffic/reports.js'

/** A sending that is under way. */
export class Sending implements AsyncDisposable {
  /** Names the stream to its receivers. */
  readonly stream: number
  /** Resolves when all is sent, or it was stopped. */
  readonly result: Promise<SendResult>
  readonly #ask: (request: HostRequest) => Promise<unknown>

  /** @internal */
  constructor(
    stream: number,
    result: Promise<SendResult>,
    ask: (request: HostRequest) => Promise<unknown>,
  ) {
    this.stream = stream
    this.result = result
    this.#ask = ask
    // Whoever does not wait for the result need not catch its failure.
    result.catch(() => {})
  }

  /** What was sent so far. */
  async progress(): Promise<SendResult> {
    const soFar = await this.#ask({ kind: 'sent', stream: this.stream })
    return (soFar as SendResult | undefined) ?? this.result
  }

  /** Ends it. */
  async stop(): Promise<SendResult> {
    await this.#ask({ kind: 'stopSending', stream: this.stream })
    return this.result
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {})
  }
}
