/** What can go wrong with an OVSDB, by code. */
export type OvsdbErrorCode =
  /** Nobody answers there, or we may not. */
  | 'ERR_OVSDB_UNREACHABLE'
  /** No answer in time. A transaction may have been carried out all the same. */
  | 'ERR_OVSDB_TIMEOUT'
  /** The connection ended before the answer, or was closed. */
  | 'ERR_OVSDB_CLOSED'
  /** What came is not OVSDB. */
  | 'ERR_OVSDB_PROTOCOL'
  /** The server refused a request; a refused transaction has changed nothing. */
  | 'ERR_OVSDB_REFUSED'

/** An OVSDB server that cannot be talked to, or that refuses. The message names it, and what to do. */
export class OvsdbError extends Error {
  override readonly name = 'OvsdbError'

  constructor(
    readonly code: OvsdbErrorCode,
    message: string,
    /** The server's word for it (RFC 7047, 3.1, 4.1.3 and 5.2): `timed out`, `constraint violation`, ... */
    readonly reason?: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** The error of a socket that could not be connected. */
export function unreachable(remote: string, cause: NodeJS.ErrnoException): OvsdbError {
  const message = `no OVSDB at ${remote}: ${trouble(remote, cause)}`
  return new OvsdbError('ERR_OVSDB_UNREACHABLE', message, undefined, { cause })
}

function trouble(remote: string, { code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ENOENT':
      return 'there is no such socket; start ovsdb-server, or name its socket'
    case 'ENOTSOCK':
      return 'that is no socket; name the one of ovsdb-server'
    case 'ECONNREFUSED':
      return remote.startsWith('unix:')
        ? 'the socket is there and nobody listens; start ovsdb-server'
        : 'nobody listens; have it listen with: ovs-vsctl set-manager ptcp:6640:127.0.0.1'
    case 'EACCES':
    case 'EPERM':
      return 'no permission; become its user (root or openvswitch)'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the name of the host is not known; give another, or its address'
    default:
      return message
  }
}
