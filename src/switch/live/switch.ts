import { setTimeout as delay } from 'node:timers/promises'
import { Datapath, DatapathError, type Explanation } from 'dpdk-vhost'
import { checkSelection } from 'dpdk-vhost/programs/flow-table/rule'
import { bridgeCounters, flushMacs } from '../bridge/index.js'
import { type Change, changePort, checkPort } from '../config/index.js'
import {
  type CaptureAnswer,
  type CaptureRequest,
  type CaptureView,
  type ExplainView,
  type FlowView,
  type GuardCounters,
  type LcoreView,
  type MacView,
  NotFound,
  type PortView,
  type ProgramView,
  type ReadyView,
  type ReloadView,
  type StatsView,
  type SwitchControl,
  type SwitchView,
} from '../control.js'
import { counted } from '../counted.js'
import type { LoggingSpec, MetricsSpec, SwitchSpec } from '../spec.js'
import { Applier } from './applier.js'
import { type BridgeState, Bridges } from './bridges.js'
import { Captures } from './captures.js'
import { GuardWatch } from './guard-watch.js'
import { checkByHand } from './hand-rules.js'
import { closePrepared, Lcores, type PreparedLcores, prepareLcores } from './lcores.js'
import type { SwitchLog } from './log.js'
import type { SwitchMetrics, SwitchSnapshot } from './metrics.js'
import { Notices } from './notices.js'
import { Ports } from './ports.js'
import { addUp, ProgramErrors, type ProgramStatus } from './program-status.js'
import { Programs } from './programs.js'
import { Reload } from './reload.js'
import { Reporter } from './reporter.js'
import { Serial } from './serial.js'
import * as views from './views.js'

/** What a switch needs besides its spec. */
export interface SwitchOptions {
  /** Path of the configuration, for `show`. */
  readonly config: string
  /** Reads the configuration again, for `reload`. @param warn - told of what is probably not meant, a line each */
  read(warn: (line: string) => void): Promise<SwitchSpec>
  readonly log: SwitchLog
  /** An lcore that does not answer for so long is ended and started again. Default 10,000 ms; many rules take a while. */
  readonly lcoreAnswerMs?: number | undefined
  /** A reload has other settings for what is no part of the switch but of its process. What these throw is told as a failure. */
  onLogging?(logging: LoggingSpec): void | Promise<void>
  onMetrics?(metrics: MetricsSpec | undefined): void | Promise<void>
  /** Asked before changes of a running switch; what it throws refuses all that were asked for together. */
  allow?(change: Change): void
}

/** How often notices of bridges are read. */
const NOTICES_MS = 200

/** How often lcores are asked how their programs do, and so whether they still answer. */
const STATUS_MS = 1000

/** Rules with a cookie of a bridge that are listed where very many rules must not cost. */
const MOST_LABELLED = 1000

/** How long the end waits for a change under way. */
const PATIENCE_MS = 300

/** All of them: lcores have every bridge's program loaded, whichever ports they poll. */
function programsText(bridges: ReadonlyMap<string, BridgeState>): string {
  return [...bridges]
    .map(([name, { program }]) => program && `program ${program.file} of bridge ${name}`)
    .filter((text) => text !== undefined)
    .join(', ')
}

/** A switch that runs: what a {@link SwitchSpec} says, made true on a datapath. */
export class Switch implements SwitchControl, AsyncDisposable {
  /** Resolves when it has ended. */
  readonly closed: Promise<void>
  readonly #datapath: Datapath
  readonly #options: SwitchOptions
  readonly #startedAt = performance.now()
  readonly #reporter: Reporter
  readonly #notices: Notices
  readonly #lcores: Lcores
  readonly #bridges: Bridges
  readonly #ports: Ports
  readonly #programs: Programs
  readonly #applier: Applier
  readonly #captures: Captures
  #followed: Reload | undefined
  #metrics: Promise<SwitchMetrics> | undefined
  readonly #programErrors = new ProgramErrors()
  readonly #guardWatch = new GuardWatch()
  /** Changes happen one after the other. */
  readonly #changes = new Serial()
  #statuses: ReadonlyMap<string, ProgramStatus> = new Map()
  readonly #timers: NodeJS.Timeout[] = []
  #looking = false
  #closing: Promise<void> | undefined
  #resolveClosed = () => {}

  private constructor(datapath: Datapath, options: SwitchOptions, prepared: PreparedLcores) {
    const { log } = options
    this.#datapath = datapath
    this.#options = options
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#reporter = new Reporter(datapath, log)
    this.#notices = new Notices(this.#reporter)
    this.#bridges = new Bridges({
      tell: (message) => this.#lcores.tell(message),
      onTimeout: (bridge, { match, actions }) =>
        this.#reporter.write(
          'debug',
          `bridge ${bridge}`,
          `bridge ${bridge}: the time of rule ${match} actions=${actions} is over`,
          { event: 'rule_timeout', bridge },
        ),
    })
    this.#lcores = new Lcores(
      datapath,
      () => ({ ...this.#bridges.image(), captures: this.#captures.images }),
      log,
      options.lcoreAnswerMs ?? 10_000,
      () => programsText(this.#bridges.states),
      prepared,
    )
    this.#captures = new Captures((message) => this.#lcores.tell(message))
    this.#ports = new Ports(datapath, this.#bridges, (names) => this.#captures.portsChanged(names))
    this.#programs = new Programs(this.#bridges)
    this.#applier = new Applier({
      bridges: this.#bridges,
      ports: this.#ports,
      programs: this.#programs,
      lcores: this.#lcores,
      onLogging: (logging) => options.onLogging?.(logging),
      onMetrics: (metrics) => options.onMetrics?.(metrics),
      allow: (change) => options.allow?.(change),
    })
  }

  /**
   * Starts a switch. A port that cannot be added is reported in the log and tried again with the next reload; anything
   * else that cannot be ends it.
   *
   * @throws ConfigError for flows and programs that cannot be; DatapathError as `Datapath.open` and `Datapath.launch`
   */
  static async start(spec: SwitchSpec, options: SwitchOptions): Promise<Switch> {
    const prepared = prepareLcores(spec.lcores)
    try {
      const self = new Switch(await Datapath.open(spec.datapath), options, prepared)
      return await self.#begin(spec)
    } finally {
      await closePrepared(prepared)
    }
  }

  async #begin(spec: SwitchSpec): Promise<this> {
    try {
      this.#followed = await Reload.begin(spec, this.#applier, this.#options.log)
      this.#timers.push(
        setInterval(() => this.#readNotices(), NOTICES_MS),
        setInterval(() => this.#look(), STATUS_MS),
      )
      return this
    } catch (error) {
      await this.close()
      throw error
    }
  }

  show(): SwitchView {
    const { dpdkVersion, memory, memoryMiB, frames } = this.#datapath.info
    const ports = this.ports()
    return {
      version: views.version,
      dpdkVersion,
      pid: process.pid,
      uptime: (performance.now() - this.#startedAt) / 1000,
      config: this.#options.config,
      memory: { kind: memory, mib: memoryMiB, frames },
      bridges: [...this.#bridges.states].map(([name, state]) =>
        views.bridgeView(
          state,
          ports.filter(({ bridge }) => bridge === name),
          this.#statuses.get(name),
        ),
      ),
      lcores: this.#lcores.specs.map(({ name }) => name),
    }
  }

  ports(): PortView[] {
    return this.#ports.list().map(views.portView)
  }

  async lcores(): Promise<LcoreView[]> {
    return views.lcoreViews(this.#datapath, this.#lcores.specs)
  }

  stats(): StatsView {
    return views.statsView(this.#bridges.states, this.#ports.list())
  }

  mac(bridge: string): MacView[] {
    return views.macViews(this.#bridges.get(bridge), this.#ports.list())
  }

  macFlush(bridge: string): number {
    const count = flushMacs(this.#bridges.get(bridge).memory)
    this.#changed(`bridge ${bridge}: ${counted(count, 'address', 'addresses')} forgotten`)
    return count
  }

  flows(bridge: string, selection?: string): FlowView[] {
    const { flows } = this.#bridges.get(bridge)
    // Wrong where there are rules, wrong where there are none.
    if (flows === undefined && selection !== undefined) checkSelection(selection)
    return flows === undefined ? [] : flows.dump(selection).map(views.flowView)
  }

  flowsLabelled(bridge: string): FlowView[] {
    const { flows } = this.#bridges.get(bridge)
    return (flows?.labelled(MOST_LABELLED) ?? []).map(views.flowView)
  }

  async flowsExplain(bridge: string): Promise<ExplainView> {
    const { flows, program } = this.#bridges.get(bridge)
    if (flows === undefined)
      throw new NotFound(`bridge '${bridge}' has no flows: every frame is switched`)
    if (program !== undefined)
      throw new DatapathError(
        'ERR_PROGRAM',
        `program ${program.file} decides in bridge '${bridge}', so its rules are not compiled; unload it first`,
      )
    const message = { type: 'explain' }
    const answer = await this.#lcores.ask({ type: 'flows', bridge, message })
    const { tables, source } = answer as Explanation
    return { tables, source }
  }

  async flowAdd(bridge: string, rules: readonly string[]): Promise<{ warnings: string[] }> {
    return this.#changes.run(async () => {
      const warnings = checkByHand(this.#bridges.get(bridge), rules)
      await (await this.#bridges.flowsOf(bridge)).add(...rules)
      this.#changed(`bridge ${bridge}: ${counted(rules.length, 'rule')} added`)
      return { warnings }
    })
  }

  async flowModify(bridge: string, rule: string, strict: boolean): Promise<number> {
    return this.#changes.run(async () => {
      checkByHand(this.#bridges.get(bridge), [rule])
      const count = await (await this.#bridges.flowsOf(bridge)).modify(rule, { strict })
      this.#changed(`bridge ${bridge}: ${counted(count, 'rule')} modified`)
      return count
    })
  }

  async flowDelete(bridge: string, selection: string, strict: boolean): Promise<number> {
    return this.#changes.run(async () => {
      const count = await (await this.#bridges.flowsOf(bridge)).delete(selection, { strict })
      this.#changed(`bridge ${bridge}: ${counted(count, 'rule')} deleted`)
      return count
    })
  }

  async flowReplace(
    bridge: string,
    rules: readonly string[],
  ): Promise<{ added: number; deleted: number; warnings: string[] }> {
    return this.#changes.run(async () => {
      const warnings = checkByHand(this.#bridges.get(bridge), rules)
      const done = await (await this.#bridges.flowsOf(bridge)).replace(rules)
      this.#changed(
        `bridge ${bridge}: ${counted(done.added, 'rule')} added, ${done.deleted} deleted`,
      )
      return { ...done, warnings }
    })
  }

  async portAdd(options: unknown): Promise<PortView> {
    return this.#changes.run(async () => {
      const spec = checkPort(options, this.#spec())
      this.#applier.allow([{ type: 'portAdded', port: spec, remade: false }])
      await this.#ports.add(spec)
      this.#changed(`port ${spec.port.name}: added`)
      return this.#portView(spec.port.name)
    })
  }

  async portDelete(name: string): Promise<void> {
    await this.#changes.run(async () => {
      await this.#ports.remove(this.#ports.getOwn(name).port.name)
      this.#changed(`port ${name}: removed`)
    })
  }

  async portSet(
    name: string,
    changes: Readonly<Record<string, unknown>>,
  ): Promise<{ port: PortView; remade: boolean }> {
    return this.#changes.run(async () => {
      const { spec } = this.#ports.getOwn(name)
      const wanted = changePort(spec, changes, this.#spec())
      this.#applier.allow(wanted.changes)
      try {
        for (const change of wanted.changes) await this.#applier.make(change)
      } catch (error) {
        // One that was to be made anew and could not be comes back as it was.
        if (!this.#applier.hasPort(name)) await this.#ports.add(spec)
        throw error
      }
      const remade = wanted.changes.some(({ type }) => type === 'portAdded')
      const values = Object.entries(changes).map(
        ([key, value]) => `${key}=${JSON.stringify(value)}`,
      )
      this.#changed(`port ${name}: ${values.join(', ')}${remade ? '; made anew' : ''}`)
      return { port: this.#portView(name), remade }
    })
  }

  async programLoad(bridge: string, file: string, data: unknown): Promise<ProgramView> {
    return this.#changes.run(async () => {
      await this.#programs.setByHand(bridge, { file, data }, () => this.#readStatus())
      const message = `bridge ${bridge}: program ${file} loaded`
      this.#options.log.info(message, { event: 'program_loaded', bridge, program: file })
      return this.#programView(bridge)
    })
  }

  async programUnload(bridge: string): Promise<void> {
    await this.#changes.run(async () => {
      await this.#programs.setByHand(bridge, undefined)
      const message = `bridge ${bridge}: program unloaded`
      this.#options.log.info(message, { event: 'program_unloaded', bridge })
    })
  }

  async capture(request: CaptureRequest): Promise<CaptureAnswer> {
    for (const name of request.ports ?? []) this.#ports.get(name)
    const answer = await this.#captures.begin(request)
    const what = request.ports?.join(', ') ?? 'all ports'
    this.#options.log.info(`capture ${answer.id} of ${what} begins`, {
      event: 'capture_started',
      ...request,
    })
    return answer
  }

  captures(): CaptureView[] {
    return this.#captures.views()
  }

  captureEnd(id: number): Promise<void> {
    return this.#captures.end(id)
  }

  /** Reads the configuration again and applies the difference; see {@link apply}. */
  async reload(): Promise<ReloadView> {
    return this.#changes.run(async () => {
      const warnings: string[] = []
      const spec = await this.#options.read((line) => warnings.push(line))
      return { ...(await this.#reload.apply(spec)), warnings }
    })
  }

  /**
   * Makes the difference between this and the spec before true, and nothing else: what was added, changed or removed by
   * hand stays as it is unless the spec now says something else of it. What fails is told in the answer and in the
   * log, holds up nothing else, and is tried again by the next call.
   */
  async apply(spec: SwitchSpec): Promise<ReloadView> {
    return this.#changes.run(async () => ({ ...(await this.#reload.apply(spec)), warnings: [] }))
  }

  stop(): void {
    void this.close().catch((error: unknown) => {
      this.#options.log.error(`the switch did not close: ${String(error)}`, { event: 'failed' })
    })
  }

  async metrics(): Promise<Buffer> {
    this.#metrics ??= this.#newMetrics()
    return (await this.#metrics).bytes()
  }

  ready(): ReadyView {
    const running = new Set(Array.from(this.#datapath.lcores, ({ name }) => name))
    const ended = this.#lcores.specs.filter(({ name }) => !running.has(name))
    const problems = [
      ...(this.#followed?.failures ?? ['it is starting']),
      ...ended.map(({ name }) => `lcore ${name}: it does not run`),
    ]
    return { ready: problems.length === 0, problems }
  }

  /** Loaded by the first who asks, which a start that guests wait for need not do. */
  async #newMetrics(): Promise<SwitchMetrics> {
    const { SwitchMetrics } = await import('./metrics.js')
    return new SwitchMetrics(this.#datapath, () => this.#snapshot())
  }

  #snapshot(): SwitchSnapshot {
    const states = this.#bridges.states
    return {
      show: this.show(),
      ready: this.ready().ready,
      startedAt: performance.timeOrigin + this.#startedAt,
      guards: this.#guardCounters(),
      bridges: new Map(
        Array.from(states, ([name, { memory, flows }]) => [
          name,
          {
            counters: bridgeCounters(memory),
            programErrors: this.#programErrors.of(name),
            rules: flows?.labelled(MOST_LABELLED) ?? [],
            others: flows?.stats.others,
          },
        ]),
      ),
    }
  }

  #guardCounters(): Map<string, GuardCounters> {
    return new Map(
      this.#ports.list().map(({ spec, port }) => {
        const state = this.#bridges.get(spec.attachment.bridge)
        return [port.name, views.guardCounters(state, port.id)]
      }),
    )
  }

  /**
   * Ends it: lcores send what is decided, then ports close. What guests have put into their rings and nobody has taken
   * stays there. Calling it again waits for the same.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#captures.close()
    this.#lcores.close()
    const over = new DatapathError('ERR_CLOSED', 'the switch is closing')
    // A change that hangs must not keep the process.
    await Promise.race([this.#changes.close(over), delay(PATIENCE_MS, undefined, { ref: false })])
    try {
      await this.#datapath.close()
    } finally {
      this.#bridges.close()
      this.#programs[Symbol.dispose]()
      this.#reporter.flush()
      this.#resolveClosed()
    }
  }

  get #reload(): Reload {
    if (this.#followed === undefined) throw new DatapathError('ERR_NOT_OPEN', 'it has not started')
    return this.#followed
  }

  /** What the switch is now, with what was changed by hand. */
  #spec(): SwitchSpec {
    const live = this.#ports.list()
    return {
      ...this.#reload.spec,
      lcores: this.#lcores.specs,
      bridges: [...this.#bridges.states.values()].map(({ spec }) => spec),
      ports: live.filter(({ local }) => !local).map(({ spec }) => spec),
    }
  }

  #portView(name: string): PortView {
    return views.portView(this.#ports.get(name))
  }

  #programView(bridge: string): ProgramView {
    const { program } = this.#bridges.get(bridge)
    if (program === undefined) throw new NotFound(`bridge '${bridge}' has no program`)
    return views.programView(program, this.#statuses.get(bridge))
  }

  #readNotices(): void {
    this.#notices.read(this.#bridges.states, this.#ports.list())
  }

  /** One line for a change that somebody asked for. */
  #changed(change: string): void {
    this.#options.log.info(change, { event: 'change', change })
  }

  #look(): void {
    for (const { level, message, fields } of this.#guardWatch.look(this.#guardCounters())) {
      this.#options.log[level](message, fields)
    }
    this.#reporter.flush()
    if (this.#looking) return
    this.#looking = true
    this.#readStatus()
      // An lcore that is of no use is reported, and started again, by itself.
      .catch(() => {})
      .finally(() => {
        this.#looking = false
      })
  }

  async #readStatus(): Promise<void> {
    const before = this.#statuses
    this.#statuses = addUp(await this.#lcores.tell({ type: 'status' }))
    this.#programErrors.note(this.#statuses)
    for (const [bridge, { aside }] of this.#statuses) {
      if (!aside || before.get(bridge)?.aside === true) continue
      const what = this.#bridges.states.get(bridge)?.program?.file ?? 'what decides'
      const message = `bridge ${bridge}: ${what} threw too often and was put aside: its frames are dropped until another is loaded`
      this.#options.log.error(message, { event: 'program_aside', bridge })
    }
  }
}
