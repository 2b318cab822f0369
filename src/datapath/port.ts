import {
  type AdminState,
  type EgressShaper,
  type EgressShaperSpec,
  type PortSpec,
  type RxAffinity,
  validateAdminState,
  validateEgressShaper,
  validateRxAffinity,
} from '../config/index.js'
import { type PortCounters, readPortCounters } from '../counters/counters.js'
import { DatapathError, native, nativeCall } from '../errors.js'
import { binding } from '../native/binding.js'
import { toNativeShaper } from './native-port.js'
import { type PortStatus, UNBORN } from './port-status.js'

export interface ReadyOptions {
  /** Give up after that many milliseconds. Default: wait for ever. */
  timeoutMs?: number | undefined
  /** Stops waiting. */
  signal?: AbortSignal | undefined
}

/** What a port asks of its datapath. */
interface PortOwner {
  remove(): Promise<void>
  /** Has its rx queues polled by whom they are to be polled now. */
  assign(): Promise<void>
}

/** Where frames enter and leave: a vhost-user socket, or a DPDK ethdev. */
export class Port implements AsyncDisposable {
  /** What it was made from, defaults filled in. */
  readonly spec: PortSpec
  /** What verdicts name it by: 0 to 1023. An id is used again only after all others were. */
  readonly id: number
  readonly #owner: PortOwner
  readonly #waiting = new Set<() => void>()
  #status: PortStatus = UNBORN
  #removed = false
  #rxAffinity: RxAffinity
  #egressShaper: EgressShaperSpec | undefined

  /** @internal */
  constructor(spec: PortSpec, id: number, owner: PortOwner) {
    this.spec = spec
    this.id = id
    this.#owner = owner
    this.#rxAffinity = spec.rxAffinity
    this.#egressShaper = spec.egressShaper
  }

  get name(): string {
    return this.spec.name
  }

  get type(): PortSpec['type'] {
    return this.spec.type
  }

  /** Who we are on the socket; QEMU's mode is the other one. */
  get role(): 'client' | 'server' | undefined {
    if (this.spec.type === 'dpdk') return undefined
    return this.spec.type === 'dpdkvhostuserclient' ? 'client' : 'server'
  }

  get status(): PortStatus {
    return this.#status
  }

  /** Reads its counters, without a call into the addon. They go on across reconnects. */
  counters(): PortCounters {
    return readPortCounters(this.id)
  }

  /**
   * Resolves once the port is ready: at once when it is, else when a guest has connected and started its device.
   *
   * @throws {@link DatapathError} `ERR_TIMEOUT` naming the state and its reason, `ERR_GAVE_UP` when the port has given
   * up looking for its peer, `ERR_CLOSED` when it is removed;
   * the signal's reason when it is aborted
   */
  async ready({ timeoutMs, signal }: ReadyOptions = {}): Promise<PortStatus> {
    signal?.throwIfAborted()
    const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)
    while (this.#status.state !== 'ready') {
      if (this.#removed) throw new DatapathError('ERR_CLOSED', `port ${this.name} was removed`)
      if (this.#status.state === 'failed') {
        throw new DatapathError('ERR_GAVE_UP', `port ${this.name} ${this.#status.reason}`)
      }
      if (signal?.aborted) throw signal.reason
      if (timeout?.aborted) {
        const { state, reason } = this.#status
        throw new DatapathError(
          'ERR_TIMEOUT',
          `port ${this.name} was not ready after ${timeoutMs} ms: it is ${state}${reason ? ` (${reason})` : ''}`,
        )
      }
      await this.#change([signal, timeout])
    }
    return this.#status
  }

  /**
   * Sets the port up or down; resolves once it is. A port that is down looks unplugged to its guest: the connection is
   * closed, and none is made or accepted before it is up again. A device (`dpdk`) has its link set down if its driver can
   * do that. Frames for a port that is down are dropped and counted as `droppedNotConnected`.
   *
   * @throws {@link ConfigError} for another word; {@link DatapathError} `ERR_SOCKET_IN_USE`, `ERR_PATH_NOT_SOCKET` and
   * `ERR_SOCKET_LISTEN` when a port that listens cannot come up, and is then still down; `ERR_CLOSED` when the port was
   * removed
   */
  async setAdminState(adminState: AdminState): Promise<void> {
    const wanted = validateAdminState(adminState, this.name)
    if (this.#removed) throw new DatapathError('ERR_CLOSED', `port ${this.name} was removed`)
    await native(binding.setAdminState(this.id, wanted === 'up'))
  }

  /** Which rx queues are pinned to which lcore: names of lcores by queue. */
  get rxAffinity(): RxAffinity {
    return this.#rxAffinity
  }

  /**
   * Pins rx queues to lcores, in place of all pins before. Resolves once it is in force. Frames of a queue that changes
   * its lcore stay in order.
   *
   * @param rxAffinity - as the option of that name
   * @throws {@link ConfigError} for what is no queue of the port or no name
   */
  async setRxAffinity(rxAffinity: RxAffinity): Promise<void> {
    this.#rxAffinity = validateRxAffinity(rxAffinity, this.spec)
    await this.#owner.assign()
  }

  /** What holds back frames above a rate; undefined: nothing does. */
  get egressShaper(): EgressShaperSpec | undefined {
    return this.#egressShaper
  }

  /**
   * Puts a shaper in place of the one before; undefined: nothing is held back any more. Resolves once it is in force.
   * Frames that wait stay in order, and those for which there is no room any more are dropped and counted as
   * `droppedShaperFull`.
   *
   * @throws {@link ConfigError} for what cannot be; {@link DatapathError} `ERR_NO_MEMORY` when packet memory is too small
   * for the queue, `ERR_CLOSED` when the port was removed
   */
  async setEgressShaper(shaper: EgressShaper | undefined): Promise<void> {
    const spec = validateEgressShaper(shaper, this.spec)
    if (this.#removed) throw new DatapathError('ERR_CLOSED', `port ${this.name} was removed`)
    await native(binding.setShaper(this.id, spec && toNativeShaper(spec)))
    this.#egressShaper = spec
  }

  /**
   * Sends a frame made here.
   *
   * @param bytes - from the destination address to the end of the payload, without FCS; copied
   * @throws {@link DatapathError} `ERR_FRAME` when it is shorter than an Ethernet header or does not fit a buffer,
   * `ERR_NO_MEMORY` when packet memory is used up, `ERR_CLOSED` when the port was removed. A guest that is not there
   * or has no room is no error: the counters tell.
   */
  inject(bytes: Uint8Array): void {
    if (this.#removed) throw new DatapathError('ERR_CLOSED', `port ${this.name} was removed`)
    if (bytes.length < 14) {
      throw new DatapathError(
        'ERR_FRAME',
        `a frame of ${bytes.length} bytes has no Ethernet header (14 bytes)`,
      )
    }
    if (bytes.length > this.maxFrameBytes) {
      throw new DatapathError(
        'ERR_FRAME',
        `a frame of ${bytes.length} bytes is longer than the ${this.maxFrameBytes} of port ${this.name} (MTU ${this.spec.mtu})`,
      )
    }
    if (!nativeCall(() => binding.inject(this.id, bytes))) {
      throw new DatapathError('ERR_NO_MEMORY', 'no free frame in packet memory; raise memoryMiB')
    }
  }

  /** Longest frame the port sends: its MTU, the Ethernet header, and two VLAN tags. */
  get maxFrameBytes(): number {
    return (this.spec.mtu ?? 1500) + 22
  }

  /**
   * Has a client port look for its peer now: one that has given up begins anew, one that waits before its next attempt
   * does not wait. Without effect on a connection, and on ports that connect to nothing.
   */
  async reconnect(): Promise<void> {
    if (this.#removed) throw new DatapathError('ERR_CLOSED', `port ${this.name} was removed`)
    await native(binding.reconnectPort(this.id))
  }

  /** Takes it out of the datapath. Frames of other ports are not held up. */
  remove(): Promise<void> {
    return this.#owner.remove()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.remove()
  }

  /** @internal */
  update(status: PortStatus): void {
    this.#status = status
    this.#wake()
  }

  /** @internal */
  markRemoved(): void {
    this.#removed = true
    this.#wake()
  }

  #wake(): void {
    for (const resume of [...this.#waiting]) resume()
  }

  #change(signals: readonly (AbortSignal | undefined)[]): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#waiting.delete(done)
        for (const signal of signals) signal?.removeEventListener('abort', done)
        resolve()
      }
      this.#waiting.add(done)
      for (const signal of signals) signal?.addEventListener('abort', done)
    })
  }
}
