import type { Problem } from 'dpdk-vhost'
import type { ErrorBody } from './http-error.js'

/** The switch refused. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly code: string
  readonly problems: readonly Problem[]

  constructor(
    /** HTTP status: 400 and above. */
    readonly status: number,
    { code, message, problems = [] }: ErrorBody['error'],
  ) {
    super(message)
    this.code = code
    this.problems = problems
  }
}

/** There is no switch to talk to, or we may not, or it went away. */
export class NoSwitchError extends Error {
  override readonly name = 'NoSwitchError'
  readonly code: string

  constructor(socket: string, cause: NodeJS.ErrnoException) {
    super(explain(socket, cause), { cause })
    this.code = cause.code ?? 'ERR_NO_SWITCH'
  }
}

function explain(socket: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
    case 'ENOTSOCK':
      return `no switch listens at ${socket}; start one with: vswitch run FILE`
    case 'EACCES':
    case 'EPERM':
      return `no permission to talk to the switch at ${socket}; become its user, or set admin.mode in its configuration`
    case 'ECONNRESET':
    case 'EPIPE':
      return `the switch at ${socket} went away before it answered`
    case 'ETIMEDOUT':
      return `the switch at ${socket} did not answer in time`
    default:
      return `cannot talk to a switch at ${socket}: ${error.message}`
  }
}
