import type { Datapath, LogEvent, PortEvent, PortState, ProgramEvent } from 'dpdk-vhost'
import { LimitedLog, type SwitchLog, type SwitchLogLevel } from './log.js'

/** What DPDK says of every TAP although nothing is wrong: it tries for rules in the kernel and for other processes. */
const TAP_CHATTER = /^(tap_|qdisc_|eth_dev_tap_create\(\):).*(qdisc|rte flow|secondary|: failed)/

/** Writes what happens in the datapath to the log, no more of it than can be read. */
export class Reporter {
  readonly #limited: LimitedLog

  constructor(datapath: Datapath, log: SwitchLog) {
    this.#limited = new LimitedLog(log)
    datapath.on('port', (event) => this.#port(event))
    datapath.on('log', (event) => this.#dpdk(event))
    datapath.on('program', (event) => this.#program(event))
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

  /** To be called about once a second. */
  flush(): void {
    this.#limited.flush()
  }

  #port({ port, previous, state, reason, generation, adminState }: PortEvent): void {
    const why = reason === undefined ? '' : `: ${reason}`
    const fields = { event: 'port', port, state, previous, generation, adminState, reason }
    // A change of queues alone has the state of before.
    const what = state === previous ? 'has other queues' : `is ${state}${why}`
    const level = state === previous ? 'debug' : portLevels[state]
    this.write(level, `port ${port}`, `port ${port} ${what}`, fields)
  }

  #dpdk({ level, component, message }: LogEvent): void {
    const own = component === 'pmd.net.tap' && TAP_CHATTER.test(message) ? 'debug' : levels[level]
    this.write(own, `dpdk ${component}`, message, { event: 'dpdk', component })
  }

  #program({ lcore, program, problem, times, error }: ProgramEvent): void {
    const what =
      problem === 'aside' ? 'threw too often and was put aside' : 'threw and lost a burst'
    const message = `program ${program ?? ''} on lcore ${lcore} ${what}: ${error}`
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
