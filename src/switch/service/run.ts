import { constants } from 'node:os'
import { resolve } from 'node:path'
import { AdminServer } from '../admin/admin-server.js'
import type { Answered } from '../admin/handler.js'
import { MetricsServer } from '../admin/metrics-server.js'
import { readConfig } from '../config/index.js'
import type { ReloadView, SwitchControl } from '../control.js'
import { Switch } from '../live/switch.js'
import type { MetricsSpec, SwitchSpec } from '../spec.js'
import { newLog, type ProcessLog } from './log.js'
import { override } from './override.js'
import { ServiceManager } from './service-manager.js'
import { onSignals } from './signals.js'
import { becomeUser, refuseForRoot, type User, userOf } from './user.js'
import type { ConfigWatch } from './watch.js'
import { Watchdog } from './watchdog.js'

export interface RunOptions {
  /** Whether to reload when the configuration, or a file that it names, changes. */
  readonly watch: boolean
  /** Path of the admin socket, in place of that of the configuration. */
  readonly socket: string | undefined
  /** Who the process goes on as once the switch runs: `USER` or `USER:GROUP`. */
  readonly user?: string | undefined
}

/** How long the end may take in milliseconds before the process goes without it. */
const END_MS = 3000
/** How often systemd is told the state of ports, in milliseconds. */
const STATUS_MS = 2000

/**
 * Runs a switch until a signal, or `vswitch stop`, ends it.
 *
 * @param file - path of the configuration
 * @returns the exit code
 * @throws ConfigFileError when the configuration cannot be used, UserError when the user cannot be; nothing was
 *   started then
 */
export async function run(file: string, options: RunOptions): Promise<number> {
  const path = resolve(file)
  const user = options.user === undefined ? undefined : userOf(options.user)
  const read: Read = async (warn) => {
    const spec = await readConfig(path, warn)
    const { socket } = options
    if (socket === undefined) return spec
    return { ...spec, admin: { ...spec.admin, socket: resolve(socket) } }
  }
  using watch = options.watch ? await newWatch(path) : undefined
  const warnings: string[] = []
  const spec = await read((line) => warnings.push(line))
  const log = newLog(spec.logging)
  logWarnings(log, 'configuration', warnings)
  return await new SwitchProcess(path, read, watch, log, user).run(spec)
}

async function newWatch(path: string): Promise<ConfigWatch> {
  const { ConfigWatch } = await import('./watch.js')
  return new ConfigWatch(path)
}

type Read = (warn: (line: string) => void) => Promise<SwitchSpec>

const WARNING = { event: 'warning' }

const RELOAD = '/v1/reload'

/** Lines of warnings at once: each of very many rules may have one. */
const MOST_WARNINGS = 20

function logWarnings(log: ProcessLog, what: string, warnings: readonly string[]): void {
  for (const line of warnings.slice(0, MOST_WARNINGS)) log.warn(`${what}: ${line}`, WARNING)
  const more = warnings.length - MOST_WARNINGS
  if (more > 0) log.warn(`${what}: ${more} more warnings; vswitch check names them all`, WARNING)
}

/** The process of a switch. */
class SwitchProcess {
  readonly #file: string
  readonly #read: Read
  readonly #watch: ConfigWatch | undefined
  readonly #log: ProcessLog
  readonly #user: User | undefined
  readonly #manager: ServiceManager
  readonly #toEnd: Promise<void>
  #end = () => {}
  #exitCode = 0
  #ending = false
  #switch: Switch | undefined
  #metrics: MetricsServer | undefined
  #status = ''

  constructor(
    file: string,
    read: Read,
    watch: ConfigWatch | undefined,
    log: ProcessLog,
    user: User | undefined,
  ) {
    this.#file = file
    this.#read = read
    this.#watch = watch
    this.#log = log
    this.#user = user
    this.#manager = new ServiceManager(log)
    this.#toEnd = new Promise((done) => {
      this.#end = done
    })
  }

  async run(spec: SwitchSpec): Promise<number> {
    const deafen = onSignals({
      stop: (signal) => this.#stop(`stopping: ${signal}`),
      stopNow: (signal) => process.exit(128 + constants.signals[signal]),
      reload: () => this.#reloadUnasked('SIGHUP'),
      failed: (error) => this.#failed(error),
      warned: (warning) => this.#log.warn(warning.message, WARNING),
    })
    try {
      await this.#serve(spec)
    } catch (error) {
      this.#log.error(messageOf(error), { event: 'failed' })
      this.#exitCode = 1
    }
    deafen()
    await this.#log.flush()
    return this.#exitCode
  }

  async #serve(spec: SwitchSpec): Promise<void> {
    let haveControl = (_control: Promise<SwitchControl>) => {}
    const control = new Promise<SwitchControl>((done) => {
      haveControl = done
    })
    // Taken before DPDK starts: where another switch serves, nothing is touched.
    const adminSpec = { ...spec.admin, owner: this.#user }
    const admin = await AdminServer.start(control, adminSpec, (one) => this.#answered(one))
    try {
      const started = this.#start(spec)
      haveControl(started.then((live) => this.#controlOf(live)))
      await using live = await started
      const { version, dpdkVersion, memory } = live.show()
      const what = `vswitch ${version}, ${dpdkVersion}, memory ${memory.kind}`
      const status = this.#statusNow()
      this.#log.info(`the switch runs: ${what}; ${status}; admin socket ${admin.socket}`, {
        event: 'start',
        pid: process.pid,
        version,
        dpdkVersion,
        memory,
      })
      // An address that cannot be had costs the metrics, not the switch.
      await this.#serveMetrics(spec.metrics).catch((error) =>
        this.#log.error(messageOf(error), { event: 'failed' }),
      )
      this.#becomeUser()
      await this.#untilTheEnd(live, spec)
    } finally {
      control.catch(() => {})
      // Last, so that who sees it gone knows that all is.
      await admin.close()
    }
    this.#log.info('the switch has ended', { event: 'end' })
  }

  async #start(spec: SwitchSpec): Promise<Switch> {
    this.#switch = await Switch.start(spec, {
      config: this.#file,
      read: this.#read,
      log: this.#log,
      onLogging: (logging) => this.#log.configure(logging),
      onMetrics: (metrics) => this.#serveMetrics(metrics),
      allow: (change) => this.#user && refuseForRoot(change, this.#user),
    })
    return this.#switch
  }

  #becomeUser(): void {
    if (this.#user === undefined) return
    const { uid, gid } = this.#user
    becomeUser(this.#user)
    this.#log.info(`root is given up: this is user ${uid}, group ${gid} from now on`, {
      event: 'user',
      uid,
      gid,
    })
  }

  /** Serves until the end is near; what serves a running switch only ends here. */
  async #untilTheEnd(live: Switch, { lcores }: SwitchSpec): Promise<void> {
    this.#watch?.follow(() => this.#reloadUnasked('the configuration has changed'))
    using _watchdog = this.#startWatchdog(live, lcores)
    const status = setInterval(() => this.#tellStatus(), STATUS_MS)
    this.#manager.ready(this.#statusNow())
    await Promise.race([this.#toEnd, live.closed])
    this.#manager.stopping()
    clearInterval(status)
    this.#watch?.[Symbol.dispose]()
    await this.#metrics?.close()
  }

  #startWatchdog(live: Switch, lcores: SwitchSpec['lcores']): Disposable {
    const intervalMs = Watchdog.interval()
    if (intervalMs === undefined) return { [Symbol.dispose]: () => {} }
    for (const { name, maxSleepMs } of lcores.filter((lcore) => lcore.maxSleepMs >= intervalMs)) {
      const fix = `raise WatchdogSec above ${(2 * maxSleepMs) / 1000} s, or lower maxSleepMs`
      this.#log.warn(`lcore ${name} sleeps longer than systemd's watchdog waits; ${fix}`, WARNING)
    }
    return new Watchdog({
      intervalMs,
      lcores: () => live.lcores(),
      ping: () => this.#manager.watchdog(),
      onStill: (names) =>
        this.#log.error(`lcores that do not poll: ${names.join(', ')}`, {
          event: 'lcores_still',
          lcores: names,
        }),
    })
  }

  /** What the admin socket serves. */
  #controlOf(live: Switch): SwitchControl {
    return override<SwitchControl>(live, {
      reload: () => this.#reload('asked to'),
      stop: () => this.#stop('stopping: asked to'),
    })
  }

  #stop(why: string): void {
    if (this.#ending) return
    this.#ending = true
    this.#log.info(why, { event: 'stop' })
    // Whatever hangs must not keep the process: its guests wait for the next one.
    setTimeout(() => process.exit(this.#exitCode || 1), END_MS).unref()
    this.#end()
  }

  /** An error nobody caught may have left anything behind: the process ends, and systemd starts another. */
  #failed(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#log.error(`uncaught: ${text}`, { event: 'uncaught' })
    if (this.#exitCode !== 0) process.exit(this.#exitCode)
    this.#exitCode = 1
    this.#stop('stopping: an error was not caught')
  }

  /** Nobody waits for the answer but the log. */
  #reloadUnasked(why: string): void {
    if (this.#ending) return
    this.#reload(why).catch(() => {})
  }

  async #reload(why: string): Promise<ReloadView> {
    // Not yet there: then it reads the file soon enough, or has just done so.
    const live = this.#switch
    if (live === undefined) return { changes: [], pending: [], warnings: [] }
    this.#log.info(`reload: ${why}`, { event: 'reload_asked' })
    this.#manager.reloading()
    try {
      const view = await live.reload()
      logWarnings(this.#log, 'reload', view.warnings)
      return view
    } catch (error) {
      const why = messageOf(error).replaceAll('\n', '; ')
      this.#log.error(`reload: refused, and nothing was changed: ${why}`, {
        event: 'reload_refused',
      })
      throw error
    } finally {
      if (!this.#ending) this.#manager.ready(this.#statusNow())
    }
  }

  async #serveMetrics(spec: MetricsSpec | undefined): Promise<void> {
    await this.#metrics?.close()
    this.#metrics = undefined
    if (spec === undefined) return
    const live = this.#switch as Switch
    this.#metrics = await MetricsServer.start(live, spec, (one) => this.#answered(one))
    this.#log.info(`metrics at http://${this.#metrics.address}/metrics`, { event: 'metrics' })
  }

  #answered({ method, url, status, milliseconds, error }: Answered): void {
    const text = `${method} ${url}: ${status}`
    const fields = { event: 'request', method, url, status, milliseconds: Math.round(milliseconds) }
    // A switch that is not ready says so, and nothing was thrown.
    if (status >= 500 && error !== undefined) this.#log.error(`${text}: ${stackOf(error)}`, fields)
    // What was changed, and why a reload was refused, has lines of its own.
    else if (error === undefined || url === RELOAD) this.#log.debug(text, fields)
    else this.#log.info(`${text}: ${messageOf(error).replaceAll('\n', '; ')}`, fields)
  }

  #tellStatus(): void {
    const status = this.#statusNow()
    if (status !== this.#status) this.#manager.status(status)
    this.#status = status
  }

  #statusNow(): string {
    const ports = this.#switch?.ports() ?? []
    const ready = ports.filter(({ state }) => state === 'ready').length
    return `${ready} of ${ports.length} ports ready`
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
