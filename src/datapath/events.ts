import type { LcoreEvent, ProgramEvent } from '../lcore/events.js'
import type { PortState } from '../native/binding.js'
import type { PortStatus } from './port-status.js'

/** A port changed its state or its queues. */
export interface PortEvent extends PortStatus {
  /** Name of the port. */
  readonly port: string
  /** State before. */
  readonly previous: PortState
}

/** A line of DPDK's log. */
export interface LogEvent {
  readonly level: LogLevel
  /** DPDK's log type, such as `lib.vhost.config`. */
  readonly component: string
  readonly message: string
}

/** DPDK's log levels, worst first. */
export const LOG_LEVELS = [
  'emergency',
  'alert',
  'critical',
  'error',
  'warning',
  'notice',
  'info',
  'debug',
] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** What a datapath emits, by event name. */
export interface DatapathEvents {
  port: [PortEvent]
  log: [LogEvent]
  program: [ProgramEvent]
  lcore: [LcoreEvent]
}

/** An event with its name, as {@link Datapath.events} yields it. */
export type DatapathEvent = {
  [Name in keyof DatapathEvents]: { readonly type: Name } & DatapathEvents[Name][0]
}[keyof DatapathEvents]
