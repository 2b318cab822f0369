import { ConfigError, type Problem } from '../config/index.js'
import type { Guest } from './guest.js'
import type { Vif } from './vif.js'

/** What was read of an artefact. */
export interface Parsed {
  /** Its vhost-user ports, at least one. */
  readonly vifs: readonly Vif[]
  /** The virtual machine, where the artefact is of one. */
  readonly guest?: Guest
  /** What could be read and is not as it should be. */
  readonly warnings: readonly Problem[]
}

/** Takes the error of a port that cannot be used, so that the others are read all the same; without one it is thrown. */
export interface PortwiseOptions {
  readonly onUnusable?: ((error: ConfigError) => void) | undefined
}

/** The ports of an artefact. */
export function readPorts<T>(
  ports: readonly T[],
  read: (port: T) => Vif,
  { onUnusable }: PortwiseOptions,
): Vif[] {
  return ports.flatMap((port) => {
    try {
      return read(port)
    } catch (error) {
      if (onUnusable === undefined || !(error instanceof ConfigError)) throw error
      onUnusable(error)
      return []
    }
  })
}

/** An error about one place of what is read. */
export function unreadable(
  what: string,
  path: string,
  value: unknown,
  message: string,
  fix: string,
): ConfigError {
  return new ConfigError(what, [{ path, value, message, fix }])
}

/** The warning that a guest's memory cannot be seen by a switch. */
export function notShared(path: string, value: unknown, fix: string): Problem {
  const message = 'is not shared: the port will connect, and no frame will pass'
  return { path, value, message, fix }
}
