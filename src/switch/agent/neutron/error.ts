/** Neutron or Keystone cannot be talked to, or refuses. The message says what to do. */
export class NeutronError extends Error {
  override readonly name = 'NeutronError'
  readonly code = 'ERR_NEUTRON'

  constructor(
    message: string,
    /** HTTP status; undefined: there was no answer. */
    readonly status?: number,
    /** What the server asks to wait, in milliseconds. */
    readonly retryAfterMs?: number,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** What an answer that is an error says. */
export async function refusal(what: string, response: Response): Promise<NeutronError> {
  const text = (await response.text().catch(() => '')).slice(0, 500)
  const seconds = Number(response.headers.get('retry-after'))
  const wait = seconds > 0 ? seconds * 1000 : undefined
  const message = `${what}: ${response.status} ${said(text)}; ${fixOf(response.status)}`
  return new NeutronError(message, response.status, wait)
}

/** The error of a request without an answer. */
export function noAnswer(what: string, error: unknown): NeutronError {
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } }
  const isLate = name === 'TimeoutError'
  const reason = isLate ? 'no answer in time' : (cause?.code ?? cause?.message ?? message)
  const fix = 'is its URL right, and does it run?'
  return new NeutronError(`${what}: ${reason}; ${fix}`, undefined, undefined, { cause: error })
}

function said(text: string): string {
  try {
    const body = JSON.parse(text)
    const { message } = body.NeutronError ?? body.error ?? body
    return String(message ?? text)
  } catch {
    return text.trim() || 'without a word'
  }
}

function fixOf(status: number): string {
  switch (status) {
    case 401:
      return 'give a user and password (OS_USERNAME, OS_PASSWORD, ...), or a token that is valid (OS_TOKEN)'
    case 403:
      return 'give a user who may see how ports are bound: an administrator or a service'
    case 404:
      return 'give the URL of Neutron without /v2.0, or of Keystone with /v3'
    default:
      return status >= 500 ? 'see its log; it is asked again' : 'see its log'
  }
}
