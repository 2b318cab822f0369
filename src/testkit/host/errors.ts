/** What can go wrong with a host, by code. Options that cannot be are a `ConfigError`. */
export type TestHostErrorCode =
  /** Its process did not come up; the message says why. */
  | 'ERR_HOST_START'
  /** Its process ended while something was asked of it. */
  | 'ERR_HOST_ENDED'
  | 'ERR_HOST_TIMEOUT'
  /** What was asked of it failed. */
  | 'ERR_HOST_REFUSED'

/** Something about a host failed. */
export class TestHostError extends Error {
  override readonly name = 'TestHostError'
  readonly code: TestHostErrorCode

  constructor(code: TestHostErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
