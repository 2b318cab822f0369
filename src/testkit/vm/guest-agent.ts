/**
 * Runs commands in the guest over a handful of channels.
 *
 * @packageDocumentation
 */
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { CommandChannel, type Job } from './command-channel.js'
import { VirtualMachineError } from './errors.js'
import { LineSplitter } from './line-splitter.js'

/** How a command ended. */
export interface CommandResult {
  readonly exitCode: number
  /** Standard output and standard error, as they came, read as UTF-8. */
  readonly output: string
  /** The same, byte by byte. */
  readonly bytes: Buffer
}

/** Options of a command. */
export interface CommandOptions {
  /** The command is killed after this time and the promise rejected with `ERR_VM_TIMEOUT`. Default 60 seconds. */
  readonly timeoutMs?: number | undefined
  /** Kills the command. The promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Receives every line as soon as it is complete. */
  readonly onLine?: ((line: string) => void) | undefined
}

const DEFAULT_TIMEOUT_MS = 60_000
const KILL_AGAIN_AFTER_MS = 250

interface Boot {
  readonly promise: Promise<void>
  settled: boolean
  resolve(): void
  reject(error: Error): void
}

/**
 * The first channel is kept for killing what runs on the others; so as many commands run at the same time as
 * there are further channels, and more wait for their turn.
 */
export class GuestAgent {
  readonly #control: CommandChannel
  readonly #channels: readonly CommandChannel[]
  readonly #waiting = new Set<() => void>()
  #boot = newBoot()
  #bootId: string | undefined
  #greetings = 0
  #failure: VirtualMachineError | undefined

  constructor(streams: readonly Duplex[]) {
    const [control, ...channels] = streams.map(
      (stream) => new CommandChannel(stream, (bootId, status) => this.#greeted(bootId, status)),
    )
    if (control === undefined || channels.length === 0)
      throw new Error('an agent needs two channels')
    this.#control = control
    this.#channels = channels
  }

  /** Resolves once the guest has started and set up its interface; rejects when its start-up failed. */
  ready(): Promise<void> {
    return this.#boot.promise
  }

  /** Runs a shell command; resolves whatever its exit code. */
  async run(command: string, options: CommandOptions = {}): Promise<CommandResult> {
    const lines = options.onLine === undefined ? undefined : new LineSplitter(options.onLine)
    using stop = new Stop(options.timeoutMs ?? DEFAULT_TIMEOUT_MS, options.signal)
    const job = await this.#startOnFreeChannel(command, stop, (chunk) => lines?.push(chunk))
    if (job === undefined) throw stop.error(command, '')

    // After the end, or a loss, somebody else may use the channel.
    const ended = job.ended.finally(() => this.#wakeWaiting())
    const result = await Promise.race([ended, stop.promise])
    if (result === undefined) {
      // The channel is free again once the guest reports the end; nobody has to wait for that.
      ended.catch(() => {})
      void this.#killUntilEnded(job.id, ended)
      throw stop.error(command, job.outputSoFar().toString())
    }
    lines?.end()
    return { exitCode: result.exitCode, output: result.output.toString(), bytes: result.output }
  }

  /** The guest was reset: commands under way are lost, and {@link ready} waits for the next boot. */
  guestReset(): void {
    const error = new VirtualMachineError('ERR_VM_RESET', 'the guest was reset')
    for (const channel of [this.#control, ...this.#channels]) channel.lose(error)
    this.#nextBoot(undefined)
  }

  /** Identifies the boot the guest is in; `undefined` until it is known. */
  get bootId(): string | undefined {
    return this.#bootId
  }

  /** A guest that runs already has come here, with its agent waiting for commands. */
  adopt(bootId: string): void {
    for (const channel of [this.#control, ...this.#channels]) channel.adopt(bootId)
  }

  /** Nothing works any more: QEMU has ended. */
  fail(error: VirtualMachineError): void {
    this.#failure = error
    for (const channel of [this.#control, ...this.#channels]) channel.lose(error)
    this.#nextBoot(undefined)
    this.#boot.reject(error)
    this.#wakeWaiting()
  }

  /** Whoever waits for a boot that was not completed goes on to wait for the one that follows. */
  #nextBoot(bootId: string | undefined): void {
    if (this.#boot.settled) this.#boot = newBoot()
    this.#bootId = bootId
    this.#greetings = 0
  }

  #greeted(bootId: string, status: string): void {
    if (this.#bootId !== undefined && bootId !== this.#bootId) this.#nextBoot(bootId)
    this.#bootId = bootId
    this.#greetings += 1
    if (status !== 'ok')
      this.#boot.reject(
        new VirtualMachineError('ERR_VM_GUEST', `the guest did not start: ${status}`),
      )
    if (this.#greetings === this.#channels.length + 1) this.#boot.resolve()
    this.#wakeWaiting()
  }

  /** Starts the command as soon as a channel has none; `undefined` when stopped before. */
  async #startOnFreeChannel(
    command: string,
    stop: Stop,
    onOutput: (chunk: Buffer) => void,
  ): Promise<Job | undefined> {
    while (!stop.stopped) {
      if (this.#failure !== undefined) throw this.#failure
      const channel = this.#channels.find((candidate) => candidate.ready)
      if (channel !== undefined) return channel.start(command, onOutput)
      let wake = (): void => {}
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      this.#waiting.add(wake)
      await Promise.race([woken, stop.promise])
      this.#waiting.delete(wake)
    }
    return undefined
  }

  #wakeWaiting(): void {
    for (const wake of this.#waiting) wake()
  }

  /** Kills again and again: the first attempt may come before the guest has started the command. */
  async #killUntilEnded(id: string, ended: Promise<unknown>): Promise<void> {
    let over = false
    const settled = ended
      .catch(() => {})
      .then(() => {
        over = true
      })
    while (!over) {
      if (this.#control.ready) {
        await this.#control.start(`kill -9 -$(cat /run/${id}.pid)`).ended.catch(() => {})
      }
      await Promise.race([settled, delay(KILL_AGAIN_AFTER_MS, undefined, { ref: false })])
    }
  }
}

function newBoot(): Boot {
  let settle: { resolve(): void; reject(error: Error): void }
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject }
  })
  // Nobody may be waiting when it fails; whoever asks later still gets the error.
  promise.catch(() => {})
  const boot: Boot = {
    promise,
    settled: false,
    resolve: () => {
      boot.settled = true
      settle.resolve()
    },
    reject: (error) => {
      boot.settled = true
      settle.reject(error)
    },
  }
  return boot
}

/** When to give up on a command: its time is over, or its signal fired. */
class Stop implements Disposable {
  /** Resolves at the moment to give up; never rejects. */
  readonly promise: Promise<undefined>
  stopped = false
  readonly #signal: AbortSignal | undefined
  readonly #timer: NodeJS.Timeout
  #onAbort = (): void => {}

  constructor(timeoutMs: number, signal: AbortSignal | undefined) {
    this.#signal = signal
    this.promise = new Promise((resolve) => {
      this.#onAbort = () => {
        this.stopped = true
        resolve(undefined)
      }
    })
    this.#timer = setTimeout(this.#onAbort, timeoutMs)
    signal?.addEventListener('abort', this.#onAbort)
    if (signal?.aborted) this.#onAbort()
  }

  error(command: string, output: string): unknown {
    if (this.#signal?.aborted) return this.#signal.reason
    return new VirtualMachineError(
      'ERR_VM_TIMEOUT',
      `the command did not end in time: ${command}`,
      output,
    )
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}
