import { ConfigError, DatapathError } from 'dpdk-vhost'
import { NotFound, type SwitchControl } from '../../../src/switch/control.js'

/** Answers as its script says and notes what it was asked: for tests of what lies between it and a client. */
export function scriptedControl(script: Partial<SwitchControl>): {
  control: SwitchControl
  calls: unknown[][]
} {
  const calls: unknown[][] = []
  const control = new Proxy(script, {
    get(_script, name) {
      // Else it would be taken for a promise.
      if (name === 'then') return undefined
      return (...args: unknown[]) => {
        calls.push([name, ...args])
        const method = script[name as keyof SwitchControl] as
          | ((...args: unknown[]) => unknown)
          | undefined
        return method?.(...args)
      }
    },
  }) as SwitchControl
  return { control, calls }
}

/** One of each kind of error a switch may throw. */
export const ERRORS = {
  config: () =>
    new ConfigError('port "x"', [
      { path: 'tag', value: 4097, message: 'is more than 4095', fix: 'give 0 to 4095' },
    ]),
  notFound: () => new NotFound('no bridge is called br9'),
  datapath: () => new DatapathError('ERR_SOCKET_IN_USE', 'another process listens there'),
  bug: () => new TypeError('x is not a function'),
}
