import { setTimeout as sleep } from 'node:timers/promises'
import { type Sending, type StreamReport, TestHost } from '../../src/testkit/index.js'
import type { BenchProcess } from '../process.js'
import type { Contender, Supervisor, SwitchSetup } from './contender.js'

/** Longest that a switch may take to bring frames, at first or again. */
const PATIENCE_MS = 15_000
const LOOK_MS = 10
/** The receiver sends too, so that a learning switch knows where it is. */
const ANSWERS_PER_SECOND = 100

const MACS = ['02:00:00:00:00:0a', '02:00:00:00:00:0b'] as const

/** Two guests, a stream of numbered frames from the first to the second, and the switch between them. */
export class Scene implements AsyncDisposable {
  readonly #setup: SwitchSetup
  readonly #signal: AbortSignal
  readonly #supervisor: Supervisor
  #switch: BenchProcess
  #receiver: TestHost
  readonly #sender: TestHost
  #sending: Sending | undefined

  private constructor(
    setup: SwitchSetup,
    signal: AbortSignal,
    supervisor: Supervisor,
    [sender, receiver]: readonly [TestHost, TestHost],
  ) {
    this.#setup = setup
    this.#signal = signal
    this.#supervisor = supervisor
    this.#sender = sender
    this.#receiver = receiver
    this.#switch = supervisor.start()
  }

  /** Resolves once frames arrive. */
  static async start(
    contender: Contender,
    setup: SwitchSetup,
    rate: number,
    signal: AbortSignal,
  ): Promise<Scene> {
    const hosts = await Promise.all([startHost(setup, 0), startHost(setup, 1)])
    let scene: Scene | undefined
    try {
      scene = new Scene(setup, signal, await contender.prepare(setup), hosts)
      await scene.#begin(rate)
      return scene
    } catch (error) {
      await (scene?.[Symbol.asyncDispose]() ?? Promise.all(hosts.map((host) => host.close())))
      throw error
    }
  }

  async #begin(rate: number): Promise<void> {
    await this.#until('both guests are connected', () => this.#hosts.every(({ link }) => link.up))
    this.#sending = await this.#sender.startSending({ to: this.#receiver, rate })
    await this.#receiver.startSending({ to: this.#sender, rate: ANSWERS_PER_SECOND })
    await this.framesAfter(0)
  }

  /** Kills the switch and starts it again as soon as it is gone. Resolves when both guests are connected again. */
  async restartSwitch(): Promise<void> {
    const before = this.#hosts.map(({ link }) => link.generation)
    await this.#switch[Symbol.asyncDispose]()
    this.#switch = this.#supervisor.start()
    await this.#until('both guests are connected again', () =>
      this.#hosts.every(({ link }, i) => link.up && link.generation > (before[i] as number)),
    )
  }

  /** Kills the receiving guest and starts it again as soon as it is gone. Resolves when it listens. */
  async restartReceiver(): Promise<void> {
    await this.#receiver.kill()
    this.#receiver = await startHost(this.#setup, 1)
  }

  /** What the receiver got of the stream. */
  async received(): Promise<StreamReport> {
    if (this.#sending === undefined) throw new Error('nothing is sent yet')
    return this.#receiver.receivedOf(this.#sending)
  }

  forget(): Promise<void> {
    return this.#receiver.forget()
  }

  /** Resolves to what was received, once it is more than so many frames. */
  async framesAfter(count: number): Promise<StreamReport> {
    let report = await this.received()
    await this.#until('frames come', async () => {
      report = await this.received()
      return report.frames > count
    })
    return report
  }

  /** Lets frames flow for that long. */
  async pause(milliseconds: number): Promise<void> {
    await this.#during(sleep(milliseconds, undefined, { signal: this.#signal }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([
      this.#switch[Symbol.asyncDispose](),
      this.#sender.close(),
      this.#receiver.close(),
    ])
    await this.#supervisor[Symbol.asyncDispose]()
  }

  get #hosts(): readonly TestHost[] {
    return [this.#sender, this.#receiver]
  }

  async #until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS
    while (!(await this.#during(holds()))) {
      if (performance.now() > deadline) {
        const words = this.#switch.output.trim().split('\n').slice(-20).join('\n')
        throw new Error(
          `after ${PATIENCE_MS / 1000} s one still waits until ${what}` +
            (words && `; the switch said last:\n${words}`),
        )
      }
      await this.pause(LOOK_MS)
    }
  }

  /** Unless the switch ends by itself, or all is to end. */
  async #during<T>(work: T | Promise<T>): Promise<T> {
    const result = await Promise.race([work, this.#switch.failed])
    this.#signal.throwIfAborted()
    return result
  }
}

function startHost({ sockets, cpus }: SwitchSetup, i: 0 | 1): Promise<TestHost> {
  return TestHost.start({
    name: i === 0 ? 'sender' : 'receiver',
    path: sockets[i],
    mac: MACS[i],
    cpu: cpus.generator,
  })
}
