import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BenchProcess } from '../process.js'
import type { Contender, SwitchSetup } from '../reconnect/contender.js'
import { ovsDpdk, ovsDpdkLean } from '../reconnect/ovs-switch.js'
import { environment } from '../reconnect/own-switch.js'
import { testpmdSwitch } from '../reconnect/testpmd-switch.js'
import { VSWITCH } from '../vswitch/launched.js'

/** What two ports need and no more: room for 19,000 frames. */
export const SWITCH_MIB = 64

/** What the process of the embedding program is told. */
export interface EmbeddingStart {
  readonly sockets: readonly string[]
  readonly memory: 'hugepages' | 'memfd'
  readonly memoryMiB: number
  /** Whether the lcore is a Worker, and not the main thread. */
  readonly worker: boolean
}

/** A switch whose start is measured; of ours it is known what they do meanwhile. */
export interface StartContender extends Contender {
  /** File to which it writes its marks, in the folder. */
  readonly marks?: string
}

const MARKS = 'marks'
const at = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/** A program of ours with the marks loaded before it. */
function startMarked(name: string, args: readonly string[], folder: string): BenchProcess {
  return new BenchProcess(name, process.execPath, ['--require', at('./marks.cjs'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environment(folder), DPDK_VHOST_BENCH_MARKS: join(folder, MARKS) },
  })
}

function embedding(name: string, what: string, worker: boolean): StartContender {
  return {
    name,
    what,
    marks: MARKS,
    version: () => undefined,
    prepare: async ({ sockets, folder, memory }: SwitchSetup) => {
      const start: EmbeddingStart = { sockets, memory: memory.kind, memoryMiB: SWITCH_MIB, worker }
      const args = [at('./embedding-main.js'), JSON.stringify(start)]
      return {
        start: () => startMarked(name, args, folder),
        [Symbol.asyncDispose]: async () => {},
      }
    },
  }
}

const vswitch: StartContender = {
  name: 'vswitch',
  what: '`vswitch run` with two ports and no rules',
  marks: MARKS,
  version: () => undefined,
  prepare: async ({ sockets, folder, memory }: SwitchSetup) => {
    const config = join(folder, 'vswitch.json')
    const text = JSON.stringify({
      datapath: { memory: memory.kind, memoryMiB: SWITCH_MIB },
      bridges: [{ name: 'br0' }],
      ports: sockets.map((path, i) => ({ name: `vhost${i}`, type: 'dpdkvhostuserclient', path })),
      admin: { socket: join(folder, 'admin.sock') },
    })
    writeFileSync(config, text)
    const args = [VSWITCH, 'run', config]
    return {
      start: () => startMarked('vswitch', args, folder),
      [Symbol.asyncDispose]: async () => {},
    }
  },
}

/** In the order in which they take turns. */
export const START_CONTENDERS: readonly StartContender[] = [
  embedding('embedding', 'crossConnect on the main thread of a program of its own', false),
  embedding('embedding-worker', 'the same in a Worker, prepared before EAL starts', true),
  vswitch,
  testpmdSwitch,
  ovsDpdk,
  ovsDpdkLean,
]
