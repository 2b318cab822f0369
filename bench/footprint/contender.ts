import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BenchProcess } from '../process.js'
import type { Contender, SwitchSetup } from '../reconnect/contender.js'
import { ovsDpdk, ovsDpdkLean } from '../reconnect/ovs-switch.js'
import { environment } from '../reconnect/own-switch.js'
import { testpmdSwitch } from '../reconnect/testpmd-switch.js'
import { VSWITCH } from '../vswitch/launched.js'

/** What the process of the embedding program is told. */
export interface EmbeddingStart {
  readonly sockets: readonly string[]
  readonly memory: 'hugepages' | 'memfd'
  readonly idle: 'spin' | 'adaptive'
  readonly cpu: number
}

type Idle = EmbeddingStart['idle']

/** A switch between two guests, with the memory that it takes by default. */
export interface FootprintContender extends Contender {
  /** Whether its lcore sleeps when there is nothing to do. */
  readonly sleeps: boolean
  /** Whether it is ours, and tells of V8's heaps. */
  readonly ours: boolean
}

const at = (file: string) => fileURLToPath(new URL(file, import.meta.url))

function ours(
  name: string,
  what: string,
  idle: Idle,
  argsOf: (setup: SwitchSetup, idle: Idle) => string[],
): FootprintContender {
  return {
    name: `${name}-${idle}`,
    what,
    sleeps: idle === 'adaptive',
    ours: true,
    version: () => undefined,
    prepare: async (setup) => {
      const args = ['--require', at('./heap.cjs'), ...argsOf(setup, idle)]
      const env = { ...environment(setup.folder), DPDK_VHOST_BENCH_HEAP: setup.folder }
      const stdio = ['ignore', 'pipe', 'pipe'] as ('ignore' | 'pipe')[]
      return {
        start: () => new BenchProcess(name, process.execPath, args, { stdio, env }),
        [Symbol.asyncDispose]: async () => {},
      }
    },
  }
}

function embedding({ sockets, memory, cpus }: SwitchSetup, idle: Idle): string[] {
  const start: EmbeddingStart = { sockets, memory: memory.kind, idle, cpu: cpus.switch }
  return [at('./embedding-main.js'), JSON.stringify(start)]
}

function vswitch({ sockets, memory, cpus, folder }: SwitchSetup, idle: Idle): string[] {
  const config = join(folder, 'vswitch.json')
  const text = JSON.stringify({
    datapath: { memory: memory.kind },
    lcores: [{ name: 'lcore0', cpu: cpus.switch, idle }],
    bridges: [{ name: 'br0' }],
    ports: sockets.map((path, i) => ({ name: `vhost${i}`, type: 'dpdkvhostuserclient', path })),
    admin: { socket: join(folder, 'admin.sock') },
  })
  writeFileSync(config, text)
  return [VSWITCH, 'run', config]
}

const EMBEDDING = 'crossConnect in a Worker of a program of its own'
const SWITCH = '`vswitch run` with two ports and no rules'
const spinning = (contender: Contender) => ({ ...contender, sleeps: false, ours: false })

/** In the order in which they take turns. */
export const FOOTPRINT_CONTENDERS: readonly FootprintContender[] = [
  ours('embedding', EMBEDDING, 'adaptive', embedding),
  ours('embedding', EMBEDDING, 'spin', embedding),
  ours('vswitch', SWITCH, 'adaptive', vswitch),
  spinning(testpmdSwitch),
  spinning(ovsDpdk),
  spinning(ovsDpdkLean),
]
