import type { Datapath, LogEvent, PortEvent, PortState, ProgramEvent, StallEvent } from 'dpdk-vhost'
import { LimitedLog, type SwitchLog, type SwitchLogLevel } from './log.js'

/** What DPDK says of every TAP although nothing is wrong: it tries for rules in the kernel and for other processes. */
const TAP_CHATTER = /^(tap_|qdisc_|eth_dev_tap_create\(\):).*(qdisc|rte flow|secondary|: failed)/

/**
 * What librte_vhost says of a guest that goes, or is not there yet, which the port's own line tells; and of one that was
 * connected to another switch before.
 */
const VHOST_CHATTER =
  /failed to connect|recvmsg failed|read message failed|used->idx .* mismatches|packets maybe resent/

/** What librte_vhost begins its messages with. */
const SOCKET = /^\((\/[^)]*)\) (.*)/s

/** How long a device that stops may take to be one whose guest has gone: then that is said alone. */
const GOING_MS = 50

/** Writes what happens in the datapath to the log, no more of it than can be read. */
export class Reporter {
  readonly #limited: LimitedLog
  readonly #datapath: Datapath
  /** Lines of ports that stopped, to be written unless the guest has gone. */
  readonly #stopping = new Map<string, { timer: NodeJS.Timeout; write: () => void }>()

  constructor(datapath: Datapath, log: SwitchLog) {
    this.#limited = new LimitedLog(log)
    this.#datapath = datapath
    datapath.on('port', (event) => this.#port(event))
    datapath.on('log', (event) => this.#dpdk(event))
    datapath.on('program', (event) => this.#program(event))
    datapath.on('stall', (event) => this.#stall(event))
  }

  /** Something that guests can cause as often as they like. @param source - limits are by it */
  write(
    level: SwitchLogLevel,
    source: string,
    message: string,
    fields: Readonly<Record<string, unknown>> = {},
  ): void {
    this.#limited.write(level, source, message, fields)
  }

  /** To be called about once a second, and in the end. */
  flush(): void {
    for (const port of this.#stopping.keys()) this.#settle(port)
    this.#limited.flush()
  }

  #port({ port, previous, state, reason, generation, adminState }: PortEvent): void {
    const why = reason === undefined ? '' : `: ${reason}`
    const fields = { event: 'port', port, state, previous, generation, adminState, reason }
    // A change of queues alone has the state of before.
    const what = state === previous ? 'has other queues' : `is ${state}${why}`
    const level = state === previous ? 'debug' : portLevels[state]
    const write = () => this.write(level, `port ${port}`, `port ${port} ${what}`, fields)
    this.#settle(port, state === 'disconnected')
    if (state !== 'stopped') write()
    else this.#stopping.set(port, { write, timer: setTimeout(() => this.#settle(port), GOING_MS) })
  }

  /** Writes that a port stopped, if that was not written yet, or forgets it. */
  #settle(port: string, isGone = false): void {
    const stopping = this.#stopping.get(port)
    if (stopping === undefined) return
    clearTimeout(stopping.timer)
    this.#stopping.delete(port)
    if (!isGone) stopping.write()
  }

  #dpdk({ level, component, message }: LogEvent): void {
    const own = isChatter(component, message) ? 'debug' : levels[level]
    const [, path, said = message] = SOCKET.exec(message) ?? []
    const port = path === undefined ? undefined : this.#portAt(path)
    const source = port === undefined ? `dpdk ${component}` : `port ${port}, dpdk`
    this.write(own, source, `${source}: ${port === undefined ? message : said}`, {
      event: 'dpdk',
      component,
      ...(port === undefined ? {} : { port }),
    })
  }

  #portAt(socket: string): string | undefined {
    for (const [name, { spec }] of this.#datapath.ports) {
      if (spec.type !== 'dpdk' && spec.path === socket) return name
    }
    return undefined
  }

  #stall({ state, cause, port, socket, pid, message, forMs }: StallEvent): void {
    const who = `${port === undefined ? `the peer at ${socket ?? 'a socket'}` : `port ${port}`}`
    const text = `${who} ${stalls[state]} (${cause} ${message ?? 'a message'}, peer ${pid ?? 'unknown'}, ${forMs} ms)`
    const fields = { event: 'stall', state, cause, port, socket, pid, message, forMs }
    this.write(state === 'over' ? 'info' : 'error', `stall ${port ?? socket}`, text, fields)
  }

  #program({ lcore, program, problem, times, error }: ProgramEvent): void {
    // What it threw, and where.
    const why = error.split('\n', 2).map((line) => line.trim())
    const message = `lcore ${lcore}: a program ${problems[problem]}: ${why.join(', ')}`
    this.write('error', `program ${program}`, message, {
      event: 'program_error',
      lcore,
      program,
      problem,
      times,
      error,
    })
  }
}

function isChatter(component: string, message: string): boolean {
  if (component === 'pmd.net.tap') return TAP_CHATTER.test(message)
  return component.startsWith('lib.vhost') && VHOST_CHATTER.test(message)
}

const problems: Readonly<Record<ProgramEvent['problem'], string>> = {
  threw: 'threw and lost a burst',
  aside: 'threw too often and was put aside',
  stuck: 'did not return and is ended',
}

const stalls: Readonly<Record<StallEvent['state'], string>> = {
  stalled: 'holds up all others',
  cut: 'held up all others and was cut off',
  over: 'holds up nobody any more',
}

/** What a peer does is of interest; that one is looked for is not. */
const portLevels: Readonly<Record<PortState, SwitchLogLevel>> = {
  closed: 'debug',
  connecting: 'debug',
  listening: 'debug',
  connected: 'debug',
  ready: 'info',
  stopped: 'info',
  disconnected: 'info',
  failed: 'error',
}

/** DPDK tells at `info` what is of use to its developers. */
const levels: Readonly<Record<LogEvent['level'], SwitchLogLevel>> = {
  emergency: 'error',
  alert: 'error',
  critical: 'error',
  error: 'error',
  warning: 'warn',
  notice: 'info',
  info: 'debug',
  debug: 'debug',
}
