import { fileURLToPath } from 'node:url'
import { BenchProcess } from '../process.js'
import type { Contender, SwitchSetup } from './contender.js'

/** What the process is told at its start. */
export interface OwnStart {
  readonly sockets: readonly string[]
  readonly cpu: number
  readonly memory: 'hugepages' | 'memfd'
  readonly memoryMiB: number
}

const SCRIPT = fileURLToPath(new URL('./own-main.js', import.meta.url))

export const ownSwitch: Contender = {
  name: 'dpdk-vhost',
  what: 'learningSwitch in TypeScript between two dpdkvhostuserclient ports',
  version: () => undefined,
  prepare: async ({ sockets, folder, cpus, memory }: SwitchSetup) => {
    const start: OwnStart = {
      sockets,
      cpu: cpus.switch,
      memory: memory.kind,
      memoryMiB: memory.mib,
    }
    return {
      start: () =>
        new BenchProcess('dpdk-vhost', process.execPath, [SCRIPT, JSON.stringify(start)], {
          stdio: ['ignore', 'pipe', 'pipe'],
          env: { ...process.env, RUNTIME_DIRECTORY: folder },
        }),
      [Symbol.asyncDispose]: async () => {},
    }
  },
}
