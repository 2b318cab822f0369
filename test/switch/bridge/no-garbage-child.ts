/**
 * Runs a bridge over many bursts between the words BEGIN and END. Started by `no-garbage.test.ts` with V8's reports of
 * collections on, which appear between those words if there is garbage to collect.
 */
import { writeSync } from 'node:fs'
import { BurstWord, DROP } from '../../../src/index.js'
import { frame } from '../../programs/frames.js'
import { attached } from '../images.js'
import { BridgeLcore } from './bridge-lcore.js'

const scenarios: Record<string, { stations: number; tags: [number?, number?] }> = {
  'two stations': { stations: 2, tags: [] },
  '1000 stations and a table of 256': { stations: 1000, tags: [] },
  'tags put in and taken out': { stations: 2, tags: [5] },
}
const [name = '', bursts = '0'] = process.argv.slice(2)
const scenario = scenarios[name]
if (scenario === undefined) throw new Error(`no scenario ${name}`)
const { stations, tags } = scenario
const attach = (tag?: number) => attached(tag === undefined ? { trunks: [0, 5] } : { tag })
const { bridge, flow } = new BridgeLcore(
  { a: attach(tags[0]), b: attach(tags[1]), c: attach(5) },
  { stormLimit: { broadcast: 1_000_000, multicast: undefined, unknownUnicast: undefined } },
)
flow.receive(
  0,
  Array.from({ length: 32 }, () => frame(1, 2)),
)
const { burst, memory } = flow
const offsets = memory.offset.slice(0, 32)

// That of `MadeUpBurst` allocates.
const spare = (offsets[31] as number) + 4096
burst.duplicate = (index) => {
  const { offset, length, outPort, words } = memory
  const at = offset[index] as number
  burst.bytes.copyWithin(spare, at, at + (length[index] as number))
  offset[32] = spare
  length[32] = length[index] as number
  outPort[32] = DROP
  words[BurstWord.total] = 33
  return 32
}

function run(count: number): void {
  const { outPort, words, clock, offset, length } = memory
  let next = 0
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < 32; i++) {
      const at = offsets[i] as number
      offset[i] = at
      length[i] = 60
      // Stations of even number are on port 0, the others on port 1. Some frames are to everyone.
      next = (next + 2) % stations
      // In whole numbers, because a function that is not inlined is given others as objects.
      burst.view.setInt32(at, i === 31 ? -1 : 0x02000000)
      burst.view.setInt16(at + 4, i === 31 ? -1 : next + 1 - (n & 1))
      burst.view.setInt32(at + 6, 0x02000000)
      burst.view.setInt16(at + 10, next + (n & 1))
      // On the trunk of the scenario with tags, frames come with one.
      burst.view.setInt32(
        at + 12,
        tags.length > 0 && (n & 1) === 1 ? 0x81000005 | 0 : 0x88b50000 | 0,
      )
      outPort[i] = DROP
    }
    words[BurstWord.inPort] = n & 1
    words[BurstWord.total] = 32
    words[BurstWord.copyCount] = 0
    clock[0] = (clock[0] as number) + 0.25
    burst.begin(32)
    bridge.burst(burst)
  }
}

// In many calls, so that the optimiser gets to see `run` as well.
for (let i = 0; i < 200; i++) run(200)
globalThis.gc?.()
run(50_000)
writeSync(1, '\nBEGIN\n')
run(Number(bursts))
writeSync(1, '\nEND\n')
