import { ConfigError, DatapathError, type Problem } from 'dpdk-vhost'
import { NotFound } from '../control.js'

/** A request that is refused before the switch hears of it. */
export class HttpError extends Error {
  override readonly name = 'HttpError'

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Further headers of the answer. */
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
  }
}

/** The body of an answer that is none. */
export interface ErrorBody {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly problems?: readonly Problem[]
  }
}

/** Status and body for whatever was thrown. */
export function toErrorAnswer(error: unknown): { status: number; body: ErrorBody } {
  const { code, message } = describe(error)
  if (error instanceof HttpError)
    return { status: error.status, body: { error: { code, message } } }
  if (error instanceof ConfigError) {
    return { status: 400, body: { error: { code, message, problems: error.problems } } }
  }
  if (error instanceof NotFound) return { status: 404, body: { error: { code, message } } }
  if (error instanceof DatapathError && error.code !== 'ERR_INTERNAL') {
    return { status: 409, body: { error: { code, message } } }
  }
  return { status: 500, body: { error: { code, message } } }
}

function describe(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: 'ERR_INTERNAL', message: String(error) }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'ERR_INTERNAL'
  return { code, message: error.message }
}
