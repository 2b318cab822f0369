import { setTimeout as delay } from 'node:timers/promises'
import { DatapathError } from 'dpdk-vhost'
import { Capture, type CaptureImage } from 'dpdk-vhost/capture'
import { type CaptureAnswer, type CaptureRequest, type CaptureView, NotFound } from '../control.js'
import type { LcoreMessage } from '../image.js'
import { isLost } from './lcores.js'

/** Captures at once: each costs lcores a copy of every frame, and memory. */
const MOST = 16
/** How long the end of a capture waits for lcores to let go of it, in milliseconds. */
const PATIENCE_MS = 500

interface Running {
  readonly capture: Capture
  /** Ports that come later are captured too. */
  readonly all: boolean
  /** Lcores have no more to record for it, though its reader may not have all yet. */
  recorded: boolean
}

/** The captures of the switch. */
export class Captures {
  readonly #tell: (message: LcoreMessage) => Promise<unknown>
  readonly #running = new Map<number, Running>()
  /** Those that compile their filters. */
  #beginning = 0
  #names: readonly string[] = []
  #closed = false

  /** @param tell - tells all lcores */
  constructor(tell: (message: LcoreMessage) => Promise<unknown>) {
    this.#tell = tell
  }

  /** What an lcore is to know that starts now. */
  get images(): CaptureImage[] {
    const running = [...this.#running.values()].filter(({ recorded }) => !recorded)
    return running.map(({ capture }) => capture.image)
  }

  views(): CaptureView[] {
    return [...this.#running].map(([id, { capture }]) => ({
      id,
      ...capture.spec,
      ports: Object.fromEntries(capture.counters()),
    }))
  }

  /** @throws ConfigError; DatapathError `ERR_TOO_MANY_CAPTURES`, `ERR_NO_LIBPCAP`, and what lcores throw */
  async begin({ ports, ...request }: CaptureRequest): Promise<CaptureAnswer> {
    if (this.#running.size + this.#beginning >= MOST) {
      const message = `${MOST} captures run, and no more may; end one first`
      throw new DatapathError('ERR_TOO_MANY_CAPTURES', message)
    }
    this.#beginning++
    const capture = await Capture.open({
      ...request,
      ports: [...(ports ?? this.#names)],
    }).finally(() => {
      this.#beginning--
    })
    const { id } = capture.image
    const running = { capture, all: ports === undefined, recorded: false }
    this.#running.set(id, running)
    capture.once('recorded', () => {
      running.recorded = true
      if (this.#running.has(id)) void this.#tellLcores().catch(() => {})
    })
    if (this.#closed) capture.finish()
    // However it ends: by its count, its reader, or somebody who asks.
    capture.once('close', () => this.#forget(id))
    capture.once('end', () => this.#forget(id))
    capture.on('error', () => {})
    try {
      await this.#tellLcores()
    } catch (error) {
      capture.destroy()
      throw error
    }
    return { id, stream: capture }
  }

  /** @throws NotFound */
  async end(id: number): Promise<void> {
    const running = this.#running.get(id)
    if (running === undefined) {
      const ids = [...this.#running.keys()].join(', ') || 'none'
      throw new NotFound(`no capture has the number ${id}; there are ${ids}`)
    }
    this.#running.delete(id)
    const told = this.#tellLcores().catch(() => {})
    await Promise.race([told, delay(PATIENCE_MS, undefined, { ref: false })])
    running.capture.finish()
  }

  /** @param names - of all ports */
  portsChanged(names: readonly string[]): void {
    this.#names = names
    const all = [...this.#running.values()].filter((running) => running.all)
    const added = all.map(({ capture }) => capture.addPorts(names))
    if (added.includes(true)) void this.#tellLcores().catch(() => {})
  }

  /** Ends all; lcores end soon, too. */
  close(): void {
    this.#closed = true
    for (const { capture } of this.#running.values()) capture.finish()
  }

  #forget(id: number): void {
    const running = this.#running.get(id)
    if (!this.#running.delete(id) || running?.recorded) return
    void this.#tellLcores().catch(() => {})
  }

  async #tellLcores(): Promise<void> {
    try {
      await this.#tell({ type: 'captures', captures: this.images })
    } catch (error) {
      // It starts again, with what is true then.
      if (!isLost(error)) throw error
    }
  }
}
