/** What can go wrong, by code. `ERR_DPDK_VHOST_CONFIG` (ConfigError) and `ERR_DPDK_VHOST_BINDING` have classes of their own. */
export type DatapathErrorCode =
  /** EAL did not start; the message holds its own words. Another try in this process is possible. */
  | 'ERR_EAL_INIT'
  /** EAL did not start or cannot be changed, and DPDK allows no other try in this process. */
  | 'ERR_EAL_UNUSABLE'
  | 'ERR_NO_HUGEPAGES'
  | 'ERR_NO_MEMORY'
  | 'ERR_ALREADY_OPEN'
  | 'ERR_NOT_OPEN'
  | 'ERR_CLOSED'
  | 'ERR_TOO_MANY_PORTS'
  | 'ERR_TOO_MANY_LCORES'
  | 'ERR_NO_SUCH_PORT'
  /** Another process listens at the path of a server port, or another port of this one uses it. */
  | 'ERR_SOCKET_IN_USE'
  | 'ERR_PATH_NOT_SOCKET'
  | 'ERR_SOCKET_LISTEN'
  /** The folder of a server port's socket could not be created. */
  | 'ERR_SOCKET_FOLDER'
  /** The socket of a server port could not be given its owner or mode. */
  | 'ERR_SOCKET_OWNER'
  | 'ERR_PORT_REGISTER'
  /** Features that were to be pinned cannot be offered; becomes a ConfigError with their names. */
  | 'ERR_PORT_FEATURES'
  /** A client port looked for its peer for `reconnect.giveUpMs`. */
  | 'ERR_GAVE_UP'
  /** DPDK refused a device; the message names the step and DPDK's reason. */
  | 'ERR_PORT_DEVICE'
  | 'ERR_LCORE'
  | 'ERR_CPU'
  /** A program module could not be loaded or made no program. */
  | 'ERR_PROGRAM'
  | 'ERR_TIMEOUT'
  /** The service manager could not be notified. */
  | 'ERR_NOTIFY'
  | 'ERR_FRAME'
  /** A capture's filter needs libpcap, and the system has none. */
  | 'ERR_NO_LIBPCAP'
  /** libpcap does not take a capture's filter; becomes a ConfigError with its words. */
  | 'ERR_FILTER'
  /** As many captures run as may. */
  | 'ERR_TOO_MANY_CAPTURES'
  | 'ERR_INTERNAL'

/** An operation on the datapath that failed. */
export class DatapathError extends Error {
  override readonly name = 'DatapathError'
  /** What went wrong, for programs. */
  readonly code: DatapathErrorCode

  constructor(code: DatapathErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  /** The addon's errors carry a code but no class; anything else is passed through. */
  static from(error: unknown): unknown {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_')) {
      return new DatapathError(error.code as DatapathErrorCode, error.message, { cause: error })
    }
    return error
  }
}

/** Awaits a promise of the addon and gives its errors their class. */
export async function native<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (error) {
    throw DatapathError.from(error)
  }
}

/** Calls the addon and gives its errors their class. */
export function nativeCall<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw DatapathError.from(error)
  }
}
