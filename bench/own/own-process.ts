import { START_MS } from '../setup.js'
import { Channel } from './channel.js'

/** A process of ours that says when it has started, and answers questions from then on. */
export abstract class OwnProcess<Request extends object, Reply extends { readonly kind: string }>
  implements AsyncDisposable
{
  protected readonly channel: Channel<Request, Reply>
  /** What it said when it had started. */
  protected readonly start: Promise<Extract<Reply, { kind: 'started' }>>

  protected constructor(
    name: string,
    script: URL,
    told: object,
    folder: string,
    patienceMs = START_MS,
  ) {
    this.channel = new Channel(name, script, told, folder)
    this.start = this.channel.reply('started', patienceMs)
    this.start.catch(() => {})
  }

  get pid(): number {
    return this.channel.process.pid
  }

  get failed(): Promise<never> {
    return this.channel.process.failed
  }

  async started(): Promise<void> {
    await this.start
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.channel[Symbol.asyncDispose]()
  }
}
