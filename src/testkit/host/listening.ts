import { readFileSync, rmSync, statSync } from 'node:fs'

const ACCEPTS_CONNECTIONS = 0x10000

/**
 * Whether some process of this network namespace listens on a UNIX socket of that path. Connecting would tell too, but
 * the first connection belongs to the other side. A socket whose file is gone cannot be reached, although a thread that
 * still waits on it keeps it listed.
 */
export function isListening(path: string): boolean {
  if (!statSync(path, { throwIfNoEntry: false })?.isSocket()) return false
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .some((line) => {
      if (!line.endsWith(` ${path}`)) return false
      return (Number.parseInt(line.split(/\s+/)[3] ?? '', 16) & ACCEPTS_CONNECTIONS) !== 0
    })
}

/** Removes the socket that a killed process left at `path`. */
export function removeStaleSocket(path: string): void {
  const isSocket = statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false
  if (isSocket && !isListening(path)) rmSync(path, { force: true })
}
