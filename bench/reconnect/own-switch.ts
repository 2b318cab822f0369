import { fileURLToPath } from 'node:url'
import { BenchProcess } from '../process.js'
import type { Contender, SwitchSetup } from './contender.js'

/** What the process is told at its start. */
export interface OwnStart {
  readonly sockets: readonly string[]
  readonly memory: 'hugepages' | 'memfd'
  readonly memoryMiB: number
}

/** What two ports need and no more, as with OVS-DPDK's pools: room for 19 000 frames. */
const MEMORY_MIB = 64

const SCRIPT = fileURLToPath(new URL('./own-main.js', import.meta.url))

export const ownSwitch: Contender = {
  name: 'dpdk-vhost',
  what: 'learningSwitch in TypeScript between two dpdkvhostuserclient ports',
  version: () => undefined,
  prepare: async ({ sockets, folder, memory }: SwitchSetup) => {
    const start: OwnStart = {
      sockets,
      memory: memory.kind,
      memoryMiB: MEMORY_MIB,
    }
    return {
      start: () =>
        new BenchProcess('dpdk-vhost', process.execPath, [SCRIPT, JSON.stringify(start)], {
          stdio: ['ignore', 'pipe', 'pipe'],
          env: environment(folder),
        }),
      [Symbol.asyncDispose]: async () => {},
    }
  },
}

/**
 * As a service manager starts it, without the variables of somebody's shell: some of Node.js's own, such as
 * NODE_EXTRA_CA_CERTS, make its start take twice the time.
 */
export function environment(folder: string): NodeJS.ProcessEnv {
  // What loads the addon, and its sanitizers.
  const kept = /^(PATH|LD_.*|DPDK_VHOST_BINDING|.*SAN_OPTIONS)$/
  const own = Object.entries(process.env).filter(([name]) => kept.test(name))
  return { ...Object.fromEntries(own), RUNTIME_DIRECTORY: folder }
}
