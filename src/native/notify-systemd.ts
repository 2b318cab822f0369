import { nativeCall } from '../errors.js'
import { binding } from './binding.js'

/**
 * Tells the service manager that started this process its state, as `sd_notify(3)` does: assignments, one a line, such
 * as `READY=1`, `STATUS=2 ports ready`, `WATCHDOG=1`. Never waits.
 *
 * The datagram comes from this process, so a unit needs no more than `NotifyAccess=main`.
 *
 * @param state - of systemd's protocol; an environment variable `NOTIFY_SOCKET` names its socket, `@` an abstract one
 * @returns false when no service manager wants to know: `NOTIFY_SOCKET` is not set
 * @throws {@link DatapathError} `ERR_NOTIFY` with the system's reason
 */
export function notifySystemd(state: string): boolean {
  const path = process.env.NOTIFY_SOCKET
  if (!path) return false
  nativeCall(() => binding.sendNotification(path, state))
  return true
}
