import { EventEmitter, on } from 'node:events'
import {
  ConfigError,
  type DatapathOptions,
  featureMask,
  featureNames,
  type LaunchOptions,
  type PortOptions,
  type PortSpec,
  type RunOptions,
  validateDatapathOptions,
  validateLaunchOptions,
  validatePort,
  validateRunOptions,
} from '../config/index.js'
import { DatapathError, native } from '../errors.js'
import type { Lcore, ProgramModule } from '../lcore/lcore.js'
import { MainLcore } from '../lcore/main-lcore.js'
import type { PortList } from '../lcore/runner.js'
import { WorkerLcore } from '../lcore/worker-lcore.js'
import {
  binding,
  type NativeEvent,
  type NativeOpenResult,
  type NativePortEvent,
  type NativePortOptions,
} from '../native/binding.js'
import type { Program, ProgramFunction } from '../programs/program.js'
import { type AssignableQueue, assignQueues, toTriples } from './assign.js'
import type { DatapathEvent, DatapathEvents } from './events.js'
import { LOG_LEVELS } from './events.js'
import { Port } from './port.js'
import { toStatus } from './port-status.js'

/** What DPDK was started with. */
export interface DatapathInfo {
  readonly dpdkVersion: string
  /** Where memory comes from: what `auto` became. */
  readonly memory: 'hugepages' | 'memfd'
  readonly memoryMiB: number
  /** Frames packet memory holds. */
  readonly frames: number
  /** Bytes of one frame's buffer, 128 of them headroom. */
  readonly bufferBytes: number
  /** Ticks of the clock that cycle counters count in. */
  readonly cyclesPerSecond: number
  readonly ealArgs: readonly string[]
}

/** The datapath of this process: DPDK's environment, packet memory, ports, and the lcores that poll them. */
export class Datapath extends EventEmitter<DatapathEvents> implements AsyncDisposable {
  readonly info: DatapathInfo
  readonly mtu: number
  readonly #ports = new Map<string, Port>()
  readonly #portsById = new Map<number, Port>()
  readonly #lcores = new Set<Lcore>()
  /** Rx queues each port ever enabled: they stay assigned, so that a reconnect finds its lcore polling already. */
  readonly #queues = new Map<number, Set<number>>()
  #assignment = new Map<string, number>()
  #assigning: Promise<void> | undefined
  #assignAgain = false
  #lastLcore = 0
  #closing: Promise<void> | undefined

  private constructor(opened: NativeOpenResult, mtu: number) {
    super()
    this.info = { dpdkVersion: binding.dpdkVersion, ...opened }
    this.mtu = mtu
  }

  /**
   * Starts DPDK and reserves packet memory. A process has one datapath at a time; after `close` it can open another,
   * with the same kind of memory and no more of it.
   *
   * @throws {@link ConfigError} for options that cannot be; {@link DatapathError} `ERR_ALREADY_OPEN`, `ERR_NO_HUGEPAGES`,
   * `ERR_NO_MEMORY`, `ERR_EAL_INIT` and `ERR_EAL_UNUSABLE` with EAL's own words
   */
  static async open(options: DatapathOptions = {}): Promise<Datapath> {
    const spec = validateDatapathOptions(options)
    const early: NativeEvent[] = []
    let listener = (event: NativeEvent): void => void early.push(event)
    const opened = await native(binding.open(spec, (event) => listener(event)))
    const datapath = new Datapath(opened, spec.mtu)
    listener = (event) => datapath.#receive(event)
    // After the caller had a chance to listen.
    setImmediate(() => early.forEach(listener))
    return datapath
  }

  /** Ports by name. */
  get ports(): ReadonlyMap<string, Port> {
    return this.#ports
  }

  /** The lcores that run. */
  get lcores(): ReadonlySet<Lcore> {
    return this.#lcores
  }

  /**
   * Adds a port and has it polled. It need not be connected: `port.ready()` waits for that.
   *
   * @throws {@link ConfigError} naming every problem of the options; {@link DatapathError} `ERR_SOCKET_IN_USE`,
   * `ERR_PATH_NOT_SOCKET`, `ERR_SOCKET_FOLDER`, `ERR_SOCKET_OWNER`, `ERR_SOCKET_LISTEN` for a server's socket, `ERR_PORT_DEVICE` for an ethdev,
   * `ERR_TOO_MANY_PORTS`
   */
  async addPort(options: PortOptions): Promise<Port> {
    this.#checkOpen()
    const others = [...this.#ports.values()].map(({ spec }) => ({
      name: spec.name,
      path: spec.type === 'dpdk' ? undefined : spec.path,
    }))
    const spec = validatePort(options, { ports: others.concat(this.#arriving), mtu: this.mtu })
    const claim = { name: spec.name, path: spec.type === 'dpdk' ? undefined : spec.path }
    this.#arriving.push(claim)
    try {
      return await this.#add({ ...spec, mtu: spec.mtu ?? this.mtu })
    } finally {
      this.#arriving.splice(this.#arriving.indexOf(claim), 1)
      if (this.#arriving.length === 0) this.#orphans = []
    }
  }

  /** Names and sockets of ports that are being added. */
  readonly #arriving: { name: string; path: string | undefined }[] = []

  async #add(spec: PortSpec): Promise<Port> {
    if (spec.type === 'dpdkvhostuser') warnOfServerPort()
    const id = await addNatively(spec, this.mtu)
    const port = new Port(spec, id, (removed) => this.removePort(removed))
    this.#ports.set(spec.name, port)
    this.#portsById.set(id, port)
    this.#queues.set(id, new Set(spec.type === 'dpdk' ? Array(spec.rxQueues).keys() : [0]))
    const early = this.#orphans.filter((event) => event.id === id)
    this.#orphans = this.#orphans.filter((event) => event.id !== id)
    early.forEach((event) => {
      this.#receivePort(event)
    })
    this.#tellPorts()
    await this.#assign()
    return port
  }

  /** Events of ports whose `addPort` has not returned their id yet. */
  #orphans: NativePortEvent[] = []

  /** Removes a port, given by itself or by name. Frames already decided for it are dropped and counted. */
  async removePort(which: Port | string): Promise<void> {
    const port = typeof which === 'string' ? this.#ports.get(which) : which
    if (port === undefined) {
      throw new DatapathError(
        'ERR_NO_SUCH_PORT',
        `no port is called '${String(which)}'; there are ${[...this.#ports.keys()].join(', ') || 'none'}`,
      )
    }
    if (this.#ports.get(port.name) !== port) return
    this.#ports.delete(port.name)
    port.markRemoved()
    this.#tellPorts()
    await native(binding.removePort(port.id))
    this.#portsById.delete(port.id)
    this.#queues.delete(port.id)
    await this.#assign()
  }

  /**
   * Starts a Worker that polls ports and hands their bursts to the program that a module makes.
   *
   * @param module - its default export makes the program
   * @throws {@link ConfigError}; {@link DatapathError} `ERR_PROGRAM`, `ERR_CPU`, `ERR_TOO_MANY_LCORES`
   */
  async launch(module: ProgramModule, options: LaunchOptions = {}): Promise<Lcore> {
    this.#checkOpen()
    const spec = validateLaunchOptions(options)
    const name = spec.name ?? `lcore${this.#lastLcore++}`
    const lcore = await WorkerLcore.start(module, spec, name, this.#portList(), {
      onProgramEvent: (event) => this.emit('program', event),
      onEnd: (ended, reason) => this.#drop(ended, reason),
    })
    return this.#adopt(lcore)
  }

  /**
   * Polls ports on this thread, between its other work: timers and sockets go on.
   *
   * @throws {@link ConfigError}; {@link DatapathError} `ERR_PROGRAM`, `ERR_TOO_MANY_LCORES`
   */
  async run(program: Program | ProgramFunction, options: RunOptions = {}): Promise<Lcore> {
    this.#checkOpen()
    const spec = validateRunOptions(options)
    for (const lcore of this.#lcores) {
      if (lcore.thread === 'main') {
        throw new DatapathError(
          'ERR_LCORE',
          `this thread is lcore '${lcore.name}' already; replace its program or launch another`,
        )
      }
    }
    const name = spec.name ?? `lcore${this.#lastLcore++}`
    const lcore = new MainLcore(
      program,
      spec,
      name,
      this.#portList(),
      (event) => this.emit('program', event),
      (ended) => this.#drop(ended, undefined),
    )
    return this.#adopt(lcore)
  }

  /**
   * All events as they come, with their names in `type`.
   *
   * @param options - `signal` ends the iteration
   */
  async *events(
    options: { signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<DatapathEvent, void, void> {
    const merged = new EventEmitter()
    const names = ['port', 'log', 'program', 'lcore'] as const
    const forward = names.map((type) => {
      const listener = (event: object) => merged.emit('event', { type, ...event })
      this.on(type, listener)
      return () => this.off(type, listener)
    })
    try {
      const { signal } = options
      for await (const [event] of on(merged, 'event', signal === undefined ? {} : { signal })) {
        yield event as DatapathEvent
      }
    } catch (error) {
      if (!options.signal?.aborted) throw error
    } finally {
      for (const stop of forward) stop()
    }
  }

  /** Ends the lcores, removes the ports and frees packet memory. Calling it again waits for the same. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#lcores].map((lcore) => lcore.stop()))
    await Promise.all([...this.#ports.values()].map((port) => this.removePort(port)))
    await native(binding.close())
  }

  #checkOpen(): void {
    if (this.#closing) throw new DatapathError('ERR_CLOSED', 'the datapath is closed')
  }

  #receive(event: NativeEvent): void {
    if (event.type === 'log') {
      const { component, message } = event
      const level = LOG_LEVELS[Math.min(Math.max(event.level, 1), 8) - 1] ?? 'info'
      this.emit('log', { level, component, message })
      return
    }
    // The addon repeats the state of every port after it lost events.
    if (event.type === 'overflow') return
    this.#receivePort(event)
  }

  #receivePort(event: NativePortEvent): void {
    const port = this.#portsById.get(event.id)
    if (port === undefined) {
      if (this.#arriving.length > 0) this.#orphans.push(event)
      return
    }
    const previous = port.status.state
    const status = toStatus(event)
    port.update(status)
    const queues = this.#queues.get(event.id)
    const fresh = status.rxQueues.filter((queue) => queues?.has(queue) === false)
    if (fresh.length > 0) {
      for (const queue of fresh) queues?.add(queue)
      void this.#assign()
    }
    this.emit('port', { port: port.name, previous, ...status })
  }

  async #adopt(lcore: Lcore): Promise<Lcore> {
    if (this.#closing) {
      await lcore.stop()
      this.#checkOpen()
    }
    this.#lcores.add(lcore)
    lcore.setPorts(this.#portList())
    await this.#assign()
    this.emit('lcore', { lcore: lcore.name, state: 'started' })
    return lcore
  }

  async #drop(lcore: Lcore, reason: string | undefined): Promise<void> {
    if (!this.#lcores.delete(lcore)) return
    await this.#assign()
    this.emit('lcore', { lcore: lcore.name, state: 'ended', reason })
  }

  #portList(): PortList {
    return [...this.#ports.values()].map((port) => [port.id, port.name] as const)
  }

  #tellPorts(): void {
    const list = this.#portList()
    for (const lcore of this.#lcores) lcore.setPorts(list)
  }

  /** Resolves once what is known now is in force. Calls that come while one is under way share the next. */
  async #assign(): Promise<void> {
    this.#assignAgain = true
    this.#assigning ??= (async () => {
      while (this.#assignAgain) {
        this.#assignAgain = false
        const queues: AssignableQueue[] = []
        for (const { id, name: port } of this.#ports.values()) {
          for (const queue of this.#queues.get(id) ?? []) queues.push({ port, id, queue })
        }
        this.#assignment = assignQueues([...this.#lcores], queues, this.#assignment)
        await binding.assign(toTriples(queues, this.#assignment))
      }
      this.#assigning = undefined
    })()
    await this.#assigning
  }
}

async function addNatively(spec: PortSpec, mtu: number): Promise<number> {
  try {
    return await native(binding.addPort(toNative(spec, mtu)))
  } catch (error) {
    if (!(error instanceof DatapathError && error.code === 'ERR_PORT_FEATURES')) throw error
    // The addon knows bits, not names.
    const missing = featureNames(BigInt(error.message))
    const value = spec.type === 'dpdk' ? undefined : spec.features
    throw new ConfigError(`port ${spec.name}`, [
      {
        path: 'features',
        value,
        message: `has ${missing.join(', ')}, which this DPDK or datapath cannot offer`,
        fix: 'remove them; a guest that negotiated them has to be restarted',
      },
    ])
  }
}

let warned = false

function warnOfServerPort(): void {
  if (warned) return
  warned = true
  process.emitWarning(
    'guests on dpdkvhostuser ports are cut off when the switch restarts: use dpdkvhostuserclient, where QEMU listens ' +
      '(server=on) and the switch connects again',
    { type: 'DpdkVhostWarning', code: 'DPDK_VHOST_SERVER_PORT' },
  )
}

function toNative(spec: PortSpec, mtu: number): NativePortOptions {
  const { name, type } = spec
  const common = { name, mtu: spec.mtu ?? mtu }
  if (spec.type === 'dpdk') {
    const { devargs, rxQueues, txQueues, rxDescriptors, txDescriptors } = spec
    return {
      ...common,
      type,
      txRetriesMax: 8,
      devargs,
      rxQueues,
      txQueues,
      rxDescriptors,
      txDescriptors,
    }
  }
  const { path, queues, txRetriesMax, disableFeatures = [], features = [] } = spec
  const socket = { ...common, type, txRetriesMax, path, queues }
  const masks = {
    disabledFeatures: featureMask(disableFeatures),
    pinnedFeatures: featureMask(features),
  }
  if (spec.type === 'dpdkvhostuserclient') {
    const { giveUpMs = 0, ...delays } = spec.reconnect
    return { ...socket, ...masks, reconnect: { ...delays, giveUpMs } }
  }
  const { createFolder, mode, uid = '', gid = '' } = spec
  const access = { createFolder, mode, uid: String(uid), gid: String(gid) }
  return { ...socket, ...masks, access }
}
