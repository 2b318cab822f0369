/** What kept the addon from loading. */
export type BindingProblem =
  | 'not-found'
  | 'missing-library'
  | 'architecture'
  | 'libc'
  | 'load-failed'

/** The addon could not be loaded; the message says why and what to do. */
export class NativeBindingError extends Error {
  override readonly name = 'NativeBindingError'
  readonly code = 'ERR_DPDK_VHOST_BINDING'

  constructor(
    /** What kept the addon from loading. */
    readonly problem: BindingProblem,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
