import { EventEmitter, on } from 'node:events'
import {
  canonicalSocketPath,
  type DatapathOptions,
  type LaunchOptions,
  type LaunchSpec,
  type PortClaim,
  type PortOptions,
  type PortSpec,
  type RunOptions,
  validateDatapathOptions,
  validateLaunchOptions,
  validatePort,
  validateRunOptions,
} from '../config/index.js'
import { DatapathError, native, nativeCall } from '../errors.js'
import type { Lcore, ProgramModule } from '../lcore/lcore.js'
import { MainLcore } from '../lcore/main-lcore.js'
import type { PreparedProgram } from '../lcore/prepared-program.js'
import type { PortList } from '../lcore/runner.js'
import { WorkerLcore } from '../lcore/worker-lcore.js'
import {
  binding,
  type NativeEvent,
  type NativeOpenResult,
  type NativePortEvent,
  type NativeStallEvent,
} from '../native/binding.js'
import type { Program, ProgramFunction } from '../programs/program.js'
import type { DatapathEvent, DatapathEvents } from './events.js'
import { LOG_LEVELS } from './events.js'
import { addNativePort } from './native-port.js'
import { Port } from './port.js'
import { toStatus } from './port-status.js'
import { requestName } from './requests.js'
import { type RxQueueStatus, RxQueues } from './rx-queues.js'
import { readVringStats, type VringStats } from './vring-stats.js'

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

/** An lcore whose program was stuck as often in a row is not started again. */
const MOST_STUCK = 3

/** An lcore that ran for so long before begins a new row. */
const HEALTHY_MS = 30_000

/** The datapath of this process: DPDK's environment, packet memory, ports, and the lcores that poll them. */
export class Datapath extends EventEmitter<DatapathEvents> implements AsyncDisposable {
  readonly info: DatapathInfo
  readonly mtu: number
  readonly #ports = new Map<string, Port>()
  readonly #portsById = new Map<number, Port>()
  readonly #lcores = new Set<Lcore>()
  readonly #queues = new RxQueues(this.#lcores)
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

  /** The rx queues of all ports, and who polls them. */
  rxQueues(): RxQueueStatus[] {
    return this.#queues.list()
  }

  /** Frames of packet memory that are taken, those in rings of devices included; `info.frames` is all there are. */
  framesInUse(): number {
    return nativeCall(() => binding.framesInUse())
  }

  /**
   * What was counted, as librte_vhost counts, for the vrings of ports that were added with `vringStats`, by port name. It
   * goes on across reconnects.
   */
  async vringStats(): Promise<Map<string, VringStats[]>> {
    const byId = await readVringStats()
    return new Map(
      [...this.#ports].flatMap(([name, { id }]) => {
        const stats = byId.get(id)
        return stats === undefined ? [] : [[name, stats] as const]
      }),
    )
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
    const spec = validatePort(options, { ports: this.#claims.values(), mtu: this.mtu })
    const path = spec.type === 'dpdk' ? undefined : spec.path
    const socket = path === undefined ? undefined : canonicalSocketPath(path)
    this.#claims.set(spec.name, { name: spec.name, path, socket })
    this.#arriving++
    try {
      return await this.#add({ ...spec, mtu: spec.mtu ?? this.mtu })
    } catch (error) {
      if (!this.#ports.has(spec.name)) this.#claims.delete(spec.name)
      throw error
    } finally {
      this.#arriving--
      if (this.#arriving === 0) this.#orphans = []
    }
  }

  /** Names and sockets of ports that there are or that are being added. */
  readonly #claims = new Map<string, PortClaim>()
  /** Ports that are being added. */
  #arriving = 0

  async #add(spec: PortSpec): Promise<Port> {
    const id = await addNativePort(spec, this.mtu)
    const port: Port = new Port(spec, id, {
      remove: () => this.removePort(port),
      assign: () => this.#queues.assign(),
    })
    this.#ports.set(spec.name, port)
    this.#portsById.set(id, port)
    this.#queues.add(port)
    const early = this.#orphans.filter((event) => event.id === id)
    this.#orphans = this.#orphans.filter((event) => event.id !== id)
    early.forEach((event) => {
      this.#receivePort(event)
    })
    this.#tellPorts()
    await this.#queues.assign()
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
    this.#claims.delete(port.name)
    port.markRemoved()
    this.#tellPorts()
    await native(binding.removePort(port.id))
    this.#portsById.delete(port.id)
    this.#queues.remove(port)
    await this.#queues.assign()
  }

  /**
   * Starts a Worker that polls ports and hands their bursts to the program that a module makes.
   *
   * @param module - its default export makes the program; or one that was prepared, and is loaded already
   * @throws {@link ConfigError}; {@link DatapathError} `ERR_PROGRAM`, `ERR_CPU`, `ERR_TOO_MANY_LCORES`
   */
  async launch(
    module: ProgramModule | PreparedProgram,
    options: LaunchOptions = {},
  ): Promise<Lcore> {
    this.#checkOpen()
    const spec = validateLaunchOptions(options)
    const name = this.#nameLcore(spec.name)
    const startedAt = performance.now()
    try {
      const lcore = await WorkerLcore.start(module, spec, name, this.#portList(), {
        onProgramEvent: (event) => this.emit('program', event),
        onEnd: async (ended, reason) => {
          await this.#drop(ended, reason)
          if (ended.isStuck) await this.#relaunch(ended, spec, startedAt)
        },
      })
      return await this.#adopt(lcore)
    } finally {
      this.#startingLcores.delete(name)
    }
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
    const name = this.#nameLcore(spec.name)
    try {
      const lcore = new MainLcore(
        program,
        spec,
        name,
        this.#portList(),
        (event) => this.emit('program', event),
        (ended) => this.#drop(ended, undefined),
      )
      return await this.#adopt(lcore)
    } finally {
      this.#startingLcores.delete(name)
    }
  }

  /** Names of lcores that are being started. */
  readonly #startingLcores = new Set<string>()

  /** Claims a name for an lcore: rx queues are pinned by it. */
  #nameLcore(wanted: string | undefined): string {
    const taken = new Set(this.#startingLcores)
    for (const { name } of this.#lcores) taken.add(name)
    if (wanted !== undefined && taken.has(wanted)) {
      throw new DatapathError(
        'ERR_LCORE',
        `an lcore is called '${wanted}' already; choose another name`,
      )
    }
    let name = wanted
    while (name === undefined || taken.has(name)) name = `lcore${this.#lastLcore++}`
    this.#startingLcores.add(name)
    return name
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
    const names = ['port', 'log', 'program', 'lcore', 'stall'] as const
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
    if (event.type === 'stall') {
      this.#receiveStall(event)
      return
    }
    this.#receivePort(event)
  }

  #receiveStall({ state, cause, id, socket, pid, request, forMs }: NativeStallEvent): void {
    this.emit('stall', {
      state,
      cause,
      port: id === undefined ? undefined : this.#portsById.get(id)?.name,
      socket: socket || undefined,
      pid: pid || undefined,
      message: request === 0 ? undefined : requestName(request),
      forMs,
    })
  }

  #receivePort(event: NativePortEvent): void {
    const port = this.#portsById.get(event.id)
    if (port === undefined) {
      if (this.#arriving > 0) this.#orphans.push(event)
      return
    }
    const previous = port.status.state
    const status = toStatus(event)
    port.update(status)
    this.#queues.update(port)
    this.emit('port', { port: port.name, previous, ...status })
  }

  async #adopt(lcore: Lcore): Promise<Lcore> {
    if (this.#closing) {
      await lcore.stop()
      this.#checkOpen()
    }
    this.#lcores.add(lcore)
    lcore.setPorts(this.#portList())
    await this.#queues.assign()
    this.emit('lcore', { lcore: lcore.name, state: 'started' })
    return lcore
  }

  async #drop(lcore: Lcore, reason: string | undefined): Promise<void> {
    if (!this.#lcores.delete(lcore)) return
    await this.#queues.assign()
    this.emit('lcore', { lcore: lcore.name, state: 'ended', reason })
  }

  /** Starts an lcore again whose program did not return, unless that has become a habit. */
  async #relaunch(
    { name, program }: WorkerLcore,
    spec: LaunchSpec,
    startedAt: number,
  ): Promise<void> {
    const times = performance.now() - startedAt > HEALTHY_MS ? 1 : (this.#stuck.get(name) ?? 0) + 1
    this.#stuck.set(name, times)
    if (this.#closing || spec.onStuck === 'end' || times >= MOST_STUCK) return
    try {
      await this.launch(program.url, { ...spec, name, data: program.data })
    } catch (error) {
      const reason = `it was not started again: ${(error as Error).message}`
      if (!this.#closing) this.emit('lcore', { lcore: name, state: 'ended', reason })
    }
  }

  /** How often in a row the programs of lcores, by their names, did not return. */
  readonly #stuck = new Map<string, number>()

  #portList(): PortList {
    return [...this.#ports.values()].map((port) => [port.id, port.name] as const)
  }

  #tellPorts(): void {
    const list = this.#portList()
    for (const lcore of this.#lcores) lcore.setPorts(list)
  }
}
