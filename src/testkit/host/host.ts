import { MAX_MTU } from '../../config/fields.js'
import { Datapath } from '../../datapath/datapath.js'
import type { Lcore } from '../../lcore/lcore.js'
import type { HostData, HostRequest } from '../traffic/host-program.js'
import type { HostCounters } from '../traffic/reports.js'
import { INTERFACE, Link } from './link.js'
import type { TestHostSpec } from './options.js'
import { type FromHost, messageOf } from './protocol.js'

const PROGRAM = new URL('../traffic/host-program.js', import.meta.url)

/** What the driver wants of a buffer beyond the MTU, so that a frame fits one together with its virtio header. */
const DRIVER_BYTES = 64

/** What a host is made of in its own process: a datapath, lcores, and a link. */
export class Host {
  readonly #spec: TestHostSpec
  readonly #datapath: Datapath
  readonly #link: Link
  /** Of the queue with that index. The first one receives for all. */
  readonly #lcores: Promise<Lcore>[] = []

  private constructor(spec: TestHostSpec, datapath: Datapath, tell: (message: FromHost) => void) {
    this.#spec = spec
    this.#datapath = datapath
    this.#link = new Link(datapath, spec)
    datapath.on('port', ({ state, generation, reason, time }) => {
      tell({ kind: 'link', state, generation, reason, time })
    })
    datapath.on('log', ({ level, component, message }) => {
      tell({ kind: 'log', line: `${level} ${component}: ${message}` })
    })
    datapath.on('program', ({ error }) => tell({ kind: 'failed', message: error }))
    datapath.on('lcore', ({ state, reason }) => {
      if (state === 'ended') tell({ kind: 'failed', message: reason ?? 'its lcore ended' })
    })
  }

  /** Resolves when the host can be connected to. */
  static async start(spec: TestHostSpec, tell: (message: FromHost) => void): Promise<Host> {
    const datapath = await Datapath.open({
      memory: 'memfd',
      memoryMiB: spec.memoryMiB,
      mtu: Math.min(spec.mtu + DRIVER_BYTES, MAX_MTU),
    })
    const host = new Host(spec, datapath, tell)
    await host.#lcore(0)
    await host.#link.open((error) => tell({ kind: 'failed', message: messageOf(error) }))
    return host
  }

  /** Takes its socket away. The rest goes with the process. */
  close(): void {
    this.#link.close()
  }

  async ask(queue: number, request: HostRequest): Promise<unknown> {
    const lcore = await this.#lcore(queue)
    return lcore.call(request)
  }

  counters(): HostCounters {
    const counters = this.#link.port?.counters()
    const { rx, tx } = counters ?? { rx: undefined, tx: undefined }
    return {
      rx: { frames: rx?.frames ?? 0, bytes: rx?.bytes ?? 0 },
      tx: {
        frames: tx?.frames ?? 0,
        bytes: tx?.bytes ?? 0,
        ringFull: tx?.droppedRingFull ?? 0,
        linkDown: tx?.droppedNotConnected ?? 0,
      },
    }
  }

  /**
   * The lcore that sends to a tx queue. Lcores take the tx queues of a device in turn, so they are started in the order
   * of the queues.
   */
  #lcore(queue: number): Promise<Lcore> {
    while (this.#lcores.length <= queue) {
      const next = this.#lcores.length
      const before = this.#lcores[next - 1]
      this.#lcores.push(Promise.resolve(before).then(() => this.#launch(next)))
    }
    return this.#lcores[queue] as Promise<Lcore>
  }

  #launch(queue: number): Promise<Lcore> {
    const { mac, ip, idle, cpu } = this.#spec
    const data: HostData = { port: INTERFACE, mac, addresses: ip, queue }
    return this.#datapath.launch(PROGRAM, {
      // Only the first polls: one receiver sees the numbers of all frames in the order of their arrival.
      ports: queue === 0 ? 'all' : 'pinned',
      idle: queue === 0 ? idle : 'adaptive',
      // No kick ends the sleep of the others, and they have a rate to keep.
      maxSleepMs: queue === 0 ? 10 : 1,
      cpu: queue === 0 ? cpu : undefined,
      burst: 64,
      name: `queue${queue}`,
      data,
    })
  }
}
