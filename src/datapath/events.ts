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

/**
 * A vhost-user peer holds up the thread of librte_vhost that serves all of them. Frames go on; messages of other peers and
 * their connections wait.
 */
export interface StallEvent {
  /** `stalled`: for half a second now. `cut`: it was cut off, after `peerTimeoutMs`. `over`: others are served again. */
  readonly state: 'stalled' | 'cut' | 'over'
  /**
   * What the thread waits for: the rest of a message (`receiving`), a peer that does not read its answers (`sending`), or
   * the end of its work on a message (`handling`), for which nobody is cut off.
   */
  readonly cause: 'receiving' | 'sending' | 'handling'
  /** Name of the peer's port, where it is known. */
  readonly port: string | undefined
  /** Path of the peer's socket, where it is known. */
  readonly socket: string | undefined
  /** Process id of the peer, where it is known. */
  readonly pid: number | undefined
  /** The message by its name in the vhost-user protocol, where it is known. */
  readonly message: string | undefined
  /** Milliseconds so far. */
  readonly forMs: number
}

/** What a datapath emits, by event name. */
export interface DatapathEvents {
  port: [PortEvent]
  log: [LogEvent]
  program: [ProgramEvent]
  lcore: [LcoreEvent]
  stall: [StallEvent]
}

/** An event with its name, as {@link Datapath.events} yields it. */
export type DatapathEvent = {
  [Name in keyof DatapathEvents]: { readonly type: Name } & DatapathEvents[Name][0]
}[keyof DatapathEvents]
