/** The entry point of a host's process. It ends with its parent, when its time is over, or when it is told to. */
import { MAX_MTU } from '../../config/fields.js'
import { Datapath } from '../../datapath/datapath.js'
import type { Lcore } from '../../lcore/lcore.js'
import type { HostData, HostRequest } from '../traffic/host-program.js'
import type { HostCounters } from '../traffic/reports.js'
import { INTERFACE, Link } from './link.js'
import type { TestHostSpec } from './options.js'
import type { FromHost, ToHost } from './protocol.js'

const PROGRAM = new URL('../traffic/host-program.js', import.meta.url)

const tell = (message: FromHost) => {
  if (process.connected) process.send?.(message)
}

/** What the driver wants of a buffer beyond the MTU, so that a frame fits one together with its virtio header. */
const DRIVER_BYTES = 64

/** Without a word from its parent the process ends after this time. */
const START_MS = 30_000
let lifetime = setTimeout(end, START_MS)
let link: Link | undefined

/**
 * The only way out. DPDK's orderly one waits for what may never come, such as the connection that a listening device
 * wants first; the kernel takes everything back without.
 */
function end(): void {
  link?.close()
  process.kill(process.pid, 'SIGKILL')
}

class Host {
  readonly #spec: TestHostSpec
  readonly #datapath: Datapath
  /** Of the queue with that index. The first one receives for all. */
  readonly #lcores: Promise<Lcore>[] = []

  private constructor(spec: TestHostSpec, datapath: Datapath) {
    this.#spec = spec
    this.#datapath = datapath
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

  static async start(spec: TestHostSpec): Promise<Host> {
    const datapath = await Datapath.open({
      memory: 'memfd',
      memoryMiB: spec.memoryMiB,
      mtu: Math.min(spec.mtu + DRIVER_BYTES, MAX_MTU),
    })
    const host = new Host(spec, datapath)
    await host.#lcore(0)
    link = new Link(datapath, spec)
    await link.open((error) => tell({ kind: 'failed', message: messageOf(error) }))
    return host
  }

  async ask(queue: number, request: HostRequest): Promise<unknown> {
    const lcore = await this.#lcore(queue)
    return lcore.call(request)
  }

  counters(): HostCounters {
    const counters = link?.port?.counters()
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
      ports: queue === 0 ? 'all' : ['none'],
      idle: queue === 0 ? idle : 'adaptive',
      cpu: queue === 0 ? cpu : undefined,
      burst: 64,
      name: `queue${queue}`,
      data,
    })
  }
}

let host: Host | undefined

async function handle(message: Exclude<ToHost, { kind: 'close' }>): Promise<unknown> {
  if (message.kind === 'start') {
    clearTimeout(lifetime)
    lifetime = setTimeout(end, message.spec.maxLifetimeMs)
    host = await Host.start(message.spec)
    return undefined
  }
  if (host === undefined) throw new Error('it has not started')
  return message.kind === 'ask' ? host.ask(message.queue, message.request) : host.counters()
}

process.on('message', (message: ToHost) => {
  if (message.kind === 'close') {
    end()
    return
  }
  const { id } = message
  handle(message).then(
    (value) => tell({ kind: 'answer', id, value }),
    (error: unknown) => tell({ kind: 'refusal', id, message: messageOf(error) }),
  )
})
process.on('disconnect', end)

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
