import { rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Datapath } from '../../datapath/datapath.js'
import type { Port } from '../../datapath/port.js'
import { isListening, removeStaleSocket } from './listening.js'
import type { TestHostSpec } from './options.js'

/** Name of the interface. */
export const INTERFACE = 'eth0'

const LOOK_MS = 5

/** A switch that is on its way out may vanish in the middle of plugging in. One that fails for this long is no such switch. */
const GIVE_UP_MS = 5000

/** Keeps a host's interface plugged into its socket, in the host's process. */
export class Link {
  readonly #datapath: Datapath
  readonly #spec: TestHostSpec
  #closed = false
  #listens = false
  #port: Port | undefined

  constructor(datapath: Datapath, spec: TestHostSpec) {
    this.#datapath = datapath
    this.#spec = spec
  }

  get port(): Port | undefined {
    return this.#port
  }

  /** Resolves once the other side can connect, or with `listen: false` at once. Rejects when it never will. */
  async open(onFailure: (error: unknown) => void): Promise<void> {
    const { path, listen, name } = this.#spec
    if (!listen) {
      this.#keepConnected().catch(onFailure)
      return
    }
    if (isListening(path)) {
      throw new Error(`another process listens on ${path}; give ${name} a socket of its own`)
    }
    removeStaleSocket(path)
    // Adding the port ends only when somebody connects.
    let failure: unknown
    const adding = this.#add().catch((error: unknown) => {
      failure = error ?? new Error('unknown')
      onFailure(error)
    })
    while (!isListening(path)) {
      if (failure !== undefined) throw failure
      await Promise.race([adding, delay(LOOK_MS)])
    }
    this.#listens = true
  }

  close(): void {
    this.#closed = true
    if (this.#listens) rmSync(this.#spec.path, { force: true })
  }

  /** The device cannot connect twice: it is plugged anew whenever the switch is back. */
  async #keepConnected(): Promise<void> {
    let failingSince: number | undefined
    while (!this.#closed) {
      if (!isListening(this.#spec.path)) {
        await delay(LOOK_MS)
        continue
      }
      let port: Port
      try {
        port = await this.#add()
      } catch (error) {
        failingSince ??= Date.now()
        if (Date.now() - failingSince > GIVE_UP_MS) throw error
        await delay(LOOK_MS)
        continue
      }
      failingSince = undefined
      await this.#down(port)
      this.#port = undefined
      await port.remove()
    }
  }

  #down(port: Port): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (port.status.state !== 'stopped') return
        this.#datapath.off('port', look)
        resolve()
      }
      this.#datapath.on('port', look)
      look()
    })
  }

  async #add(): Promise<Port> {
    const { queues, queueSize, mtu } = this.#spec
    this.#port = await this.#datapath.addPort({
      name: INTERFACE,
      type: 'dpdk',
      devargs: devargs(this.#spec),
      rxQueues: queues,
      txQueues: queues,
      rxDescriptors: queueSize,
      txDescriptors: queueSize,
      mtu,
    })
    return this.#port
  }
}

function devargs(spec: TestHostSpec): string {
  const bit = (value: boolean) => (value ? 1 : 0)
  return [
    'net_virtio_user0',
    `path=${spec.path}`,
    `server=${bit(spec.listen)}`,
    `mac=${spec.mac}`,
    `queues=${spec.queues}`,
    // More than one queue pair is asked for through the control queue.
    `cq=${bit(spec.queues > 1)}`,
    `queue_size=${spec.queueSize}`,
    `packed_vq=${bit(spec.packed)}`,
    `in_order=${bit(spec.inOrder)}`,
    `mrg_rxbuf=${bit(spec.mergeable)}`,
  ].join(',')
}
