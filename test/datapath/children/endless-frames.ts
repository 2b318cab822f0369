/**
 * Runs a program on endless frames and tells what its thread's garbage collector did meanwhile.
 * Arguments: the program, bursts to warm up with, bursts to watch, times to do so.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { Datapath } from '../../../src/index.js'
import { SMALL } from '../../support/loopback.js'
import type { Heap } from '../programs/watched.js'

/** What happened while a number of bursts was watched. */
export interface Watch {
  bursts: number
  collections: number
  /** Growth of the heap; meaningless when there were collections. */
  bytes: number
}

/** Room for garbage before there is a collection: half of what a million objects of 16 bytes take. */
const YOUNG_MIB = 8

const [program = '', ...numbers] = process.argv.slice(2)
const [warmUp = 0, watch = 0, times = 0] = numbers.map(Number)

// Each turn of a thread's event loop leaves about a kilobyte behind, whatever the thread does; the default of 1 MiB
// would have that collected every second.
setFlagsFromString(`--min-semi-space-size=${YOUNG_MIB}`)

const datapath = await Datapath.open(SMALL)
// They receive frames as fast as they are polled, and swallow what they are sent.
for (const name of ['null0', 'null1']) {
  const port = await datapath.addPort({ name, type: 'dpdk', devargs: `net_${name},size=64` })
  await port.ready({ timeoutMs: 60_000 })
}
const lcore = await datapath.launch(new URL('../programs/watched.js', import.meta.url), {
  idle: 'spin',
  data: program,
})

const bursts = () => {
  const { polls, emptyPolls } = lcore.counters()
  return polls - emptyPolls
}
const until = async (wanted: number) => {
  while (bursts() < wanted) await sleep(10)
}

await until(warmUp)
const watches: Watch[] = []
for (let left = times; left > 0; left--) {
  const begun = bursts()
  const before = (await lcore.call('heap')) as Heap
  await until(begun + watch)
  const after = (await lcore.call('heap')) as Heap
  watches.push({
    bursts: bursts() - begun,
    collections: after.collections - before.collections,
    bytes: after.usedBytes - before.usedBytes,
  })
}
process.send?.(watches)
await datapath.close()
process.disconnect?.()
