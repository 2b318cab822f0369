/**
 * Hosts without virtual machines: processes with a virtio-user interface on a vhost-user socket.
 *
 * @packageDocumentation
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { CaptureFilter } from '../traffic/capture.js'
import type { HostRequest } from '../traffic/host-program.js'
import type {
  Delivery,
  HostCounters,
  PingResult,
  ReceivedReport,
  SendResult,
  StreamReport,
} from '../traffic/reports.js'
import { Capture } from './capture-handle.js'
import { TestHostError } from './errors.js'
import { HostProcess } from './host-process.js'
import { removeStaleSocket } from './listening.js'
import { type TestHostOptions, type TestHostSpec, toHostSpec } from './options.js'
import type { FromHost } from './protocol.js'
import { Sending } from './sending.js'
import { type PingOptions, type SendOptions, toPingOrder, toSendOrder } from './traffic-options.js'

/** The state of a host's link. */
export interface HostLink {
  readonly up: boolean
  /** How often it went up. */
  readonly generation: number
  /** When it changed, in milliseconds since the epoch; 0 before it first did. */
  readonly since: number
}

/** Options of operations that wait. */
export interface LinkWaitOptions {
  /** The promise is rejected with `ERR_HOST_TIMEOUT` after this time. Default 30 seconds. */
  readonly timeoutMs?: number | undefined
}

/** How to wait for the end of a stream. */
export interface DeliveryOptions {
  /** Frames that should have come here. Default: what was sent to this host's address, or to all. */
  readonly frames?: number | undefined
  /** Nothing more is expected after so long without a frame. Default 500. */
  readonly quietMs?: number | undefined
}

const DEFAULT_TIMEOUT_MS = 30_000
const LOOK_MS = 20

/** Streams are told apart by sender: the process that asked, and a counter. */
let streams = 0
const firstStream = ((process.pid & 0xffff) << 16) >>> 0

/** A host that runs. */
export class TestHost implements AsyncDisposable {
  readonly spec: TestHostSpec
  readonly #process: HostProcess
  readonly #waiting = new Set<() => void>()
  #link: HostLink = { up: false, generation: 0, since: 0 }
  #reason: string | undefined
  #ended: TestHostError | undefined
  #captures = 0
  #closed: Promise<void> | undefined

  private constructor(spec: TestHostSpec, { onLog }: TestHostOptions) {
    this.spec = spec
    this.#process = new HostProcess(spec, {
      onLink: (link) => this.#setLink(link),
      onLog: (line) => onLog?.(line),
      onEnd: (error) => {
        this.#ended = error
        this.#link = { ...this.#link, up: false }
        this.#wake()
      },
    })
  }

  /**
   * Starts a host. With `listen: true` it resolves when the host listens on its socket. The switch need not be there
   * yet: wait for it with {@link linkUp}.
   *
   * @throws {@link ConfigError} naming every problem of the options; {@link TestHostError} `ERR_HOST_START`
   */
  static async start(options: TestHostOptions): Promise<TestHost> {
    const spec = toHostSpec(options)
    const { signal } = options
    signal?.throwIfAborted()
    const host = new TestHost(spec, options)
    const abort = () => void host.close()
    signal?.addEventListener('abort', abort, { once: true })
    void host.#process.exited.then(() => signal?.removeEventListener('abort', abort))
    try {
      await host.#process.ask({ kind: 'start', spec })
    } catch (error) {
      await host.close()
      signal?.throwIfAborted()
      const { message } = error as Error
      throw new TestHostError('ERR_HOST_START', `cannot start a test host: ${message}`, {
        cause: error,
      })
    }
    return host
  }

  get name(): string {
    return this.spec.name
  }

  get mac(): string {
    return this.spec.mac
  }

  /** Its IP addresses. */
  get addresses(): readonly string[] {
    return this.spec.ip
  }

  /** Process id. */
  get pid(): number | undefined {
    return this.#process.pid
  }

  get link(): HostLink {
    return this.#link
  }

  /** Resolves once a switch is connected and has started the device. */
  linkUp(options: LinkWaitOptions = {}): Promise<HostLink> {
    return this.#waitForLink(true, options)
  }

  /** Resolves once no switch is connected. */
  linkDown(options: LinkWaitOptions = {}): Promise<HostLink> {
    return this.#waitForLink(false, options)
  }

  /**
   * Pings an IPv4 or IPv6 address, resolving its MAC address first. What is not answered is no error: look at
   * `received`.
   */
  async ping(address: string, options: PingOptions = {}): Promise<PingResult> {
    const order = toPingOrder(address, options, this.spec)
    return (await this.#ask({ kind: 'ping', order })) as PingResult
  }

  /** Sends numbered frames and resolves when all are sent. */
  async send(options: SendOptions): Promise<SendResult> {
    return (await this.startSending(options)).result
  }

  /** Begins to send numbered frames. */
  async startSending(options: SendOptions): Promise<Sending> {
    const stream = (firstStream + (streams++ & 0xffff)) >>> 0
    const { order, queue } = toSendOrder(options, this.spec, stream)
    const ask = (request: HostRequest) => this.#ask(request, queue)
    // Whatever queue it goes out by, it comes back by the first lcore.
    await this.#ask({ kind: 'own', stream })
    // The lcore of that queue may have to be started first, which counts as beginning.
    if (queue > 0) await ask({ kind: 'sent', stream })
    return new Sending(stream, ask({ kind: 'send', order }) as Promise<SendResult>, ask)
  }

  /**
   * Whether it returns numbered frames to their sender, as testpmd's `macswap`. It never returns those it sent itself.
   */
  async echo(on: boolean): Promise<void> {
    await this.#ask({ kind: 'echo', on })
  }

  /** All that came since the start or the last {@link forget}. */
  async received(): Promise<ReceivedReport> {
    return (await this.#ask({ kind: 'received' })) as ReceivedReport
  }

  /** What came so far of one stream. */
  async receivedOf({ stream }: { readonly stream: number }): Promise<StreamReport> {
    return (await this.#ask({ kind: 'receivedOf', stream })) as StreamReport
  }

  /** Waits until all of a finished sending has come, or nothing comes any more. */
  async delivery(sent: SendResult, options: DeliveryOptions = {}): Promise<Delivery> {
    const { quietMs = 500, frames } = options
    const own = sent.destinations[this.mac]
    const toAll = sent.destinations['ff:ff:ff:ff:ff:ff']
    const addressed = own !== undefined || toAll !== undefined
    const expected = frames ?? (addressed ? (own ?? 0) + (toAll ?? 0) : sent.frames)
    let report = await this.receivedOf(sent)
    const arrived = () => report.frames - (addressed ? report.foreign : 0)
    // Looks are counted, not time: a machine that stood still gave nobody the time to bring frames.
    const most = Math.ceil(quietMs / LOOK_MS)
    for (let quiet = 0, before = arrived(); arrived() < expected && quiet < most; quiet++) {
      await delay(LOOK_MS)
      report = await this.receivedOf(sent)
      if (arrived() !== before) quiet = -1
      before = arrived()
    }
    return { ...report, lost: expected - arrived() }
  }

  /** Forgets all that came. */
  async forget(): Promise<void> {
    await this.#ask({ kind: 'forget' })
  }

  /** Sends a frame made by the caller, from the destination address to the end of the payload. */
  async sendFrame(frame: Uint8Array): Promise<void> {
    const most = this.spec.mtu + 22
    if (frame.length < 14 || frame.length > most) {
      throw new TestHostError(
        'ERR_HOST_REFUSED',
        `${this.name} cannot send a frame of ${frame.length} bytes; it needs 14 to ${most} (MTU ${this.spec.mtu} and two VLAN tags)`,
      )
    }
    if (!this.#link.up) {
      throw new TestHostError('ERR_HOST_REFUSED', `${this.#downText()}; wait for linkUp()`)
    }
    await this.#ask({ kind: 'sendFrame', frame })
  }

  /** Keeps copies of frames that arrive from now on. */
  async capture(filter: CaptureFilter = {}): Promise<Capture> {
    const id = this.#captures++
    await this.#ask({ kind: 'capture', id, filter })
    return new Capture(id, (request) => this.#ask(request))
  }

  /** Counters of its interface. */
  async counters(): Promise<HostCounters> {
    return (await this.#process.ask({ kind: 'counters' })) as HostCounters
  }

  /** Ends it by SIGKILL: to the switch it is a guest that crashed. Its socket stays behind until {@link close}. */
  kill(): Promise<void> {
    return this.#process.kill()
  }

  /** Ends it and resolves when nothing of it is left. May be called more than once. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.#process.close()
      if (this.spec.listen) removeStaleSocket(this.spec.path)
    })()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #ask(request: HostRequest, queue = 0): Promise<unknown> {
    return this.#process.ask({ kind: 'ask', queue, request })
  }

  #setLink({ state, generation, reason, time }: Extract<FromHost, { kind: 'link' }>): void {
    const up = state === 'ready'
    this.#reason = reason
    if (up !== this.#link.up) this.#link = { up, generation, since: time }
    this.#wake()
  }

  async #waitForLink(
    up: boolean,
    { timeoutMs = DEFAULT_TIMEOUT_MS }: LinkWaitOptions,
  ): Promise<HostLink> {
    const deadline = performance.now() + timeoutMs
    while (this.#link.up !== up) {
      if (this.#ended !== undefined) throw this.#ended
      const left = deadline - performance.now()
      if (left <= 0) {
        const text = up ? this.#downText() : `the link of ${this.name} is still up`
        throw new TestHostError('ERR_HOST_TIMEOUT', `${text} after ${timeoutMs} ms`)
      }
      await this.#change(left)
    }
    return this.#link
  }

  #downText(): string {
    const { listen, path } = this.spec
    if (this.#link.generation > 0) {
      return `the link of ${this.name} is down${this.#reason ? ` (${this.#reason})` : ''}`
    }
    return listen
      ? `the link of ${this.name} is down: no switch has connected to ${path}`
      : `the link of ${this.name} is down: no switch accepts on ${path}`
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, timeoutMs)
      this.#waiting.add(done)
    })
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done()
  }
}
