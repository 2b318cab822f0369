import type { Contender, RunningSwitch } from './contender.js'
import type { Setup } from './setup.js'
import { Folder, type SharedSetup } from './sockets.js'
import { resume, stop } from './stopped.js'
import { unlessAborted } from './unless-aborted.js'

/** Longer than a pair is ever alive. */
const FOREVER_MS = 10_000_000

/** Who sends, and gets, the frames that go through a switch. */
export interface Guests extends AsyncDisposable {
  readonly pid: number
  /** Rejects when the process ends by itself. */
  readonly failed: Promise<never>
  /** Resolves once a switch is connected to both ports. */
  started(): Promise<void>
}

/** A switch and guests of its own, in a folder of their own: both are stopped while others have their turn. */
export class Pair<Load extends Guests = Guests> implements AsyncDisposable {
  readonly name: string
  readonly setup: Setup
  readonly load: Load
  readonly running: RunningSwitch
  /** Rejects when either process ends by itself. */
  readonly failed: Promise<never>
  readonly #signal: AbortSignal
  readonly #folder: Folder

  private constructor(
    name: string,
    setup: Setup,
    folder: Folder,
    [load, running]: readonly [Load, RunningSwitch],
    signal: AbortSignal,
  ) {
    this.name = name
    this.setup = setup
    this.load = load
    this.running = running
    this.failed = Promise.race([load.failed, running.failed])
    this.failed.catch(() => {})
    this.#signal = signal
    this.#folder = folder
  }

  /**
   * Starts both; they run, and no frames flow yet.
   *
   * @throws the signal's reason when it is aborted
   */
  static async start<Load extends Guests>(
    contender: Contender,
    shared: SharedSetup,
    startLoad: (setup: Setup) => Load,
    signal: AbortSignal,
  ): Promise<Pair<Load>> {
    signal.throwIfAborted()
    const folder = new Folder()
    const setup = folder.setup(shared)
    let load: Load | undefined
    let pair: Pair<Load> | undefined
    try {
      load = startLoad(setup)
      const running = await contender.start(setup)
      pair = new Pair(contender.name, setup, folder, [load, running], signal)
      await pair.guard(Promise.all([load.started(), running.started()]))
      await pair.guard(running.begin(FOREVER_MS))
      return pair
    } catch (error) {
      await (pair ?? load)?.[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
      throw error
    }
  }

  /**
   * Waits for work of the two.
   *
   * @throws Error when either ends meanwhile; the signal's reason when it is aborted
   */
  guard<T>(work: Promise<T>): Promise<T> {
    return unlessAborted(Promise.race([work, this.failed]), this.#signal)
  }

  /** They get no CPU until they are resumed. */
  stop(): void {
    this.running.stopping?.()
    stop([this.running, this.load])
  }

  resume(): void {
    resume([this.running, this.load])
    this.running.resumed?.()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.running[Symbol.asyncDispose]()
    await this.load[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }
}
