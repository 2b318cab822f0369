/**
 * Runs programs over many bursts between the words BEGIN and END. Started by `no-garbage.test.ts` with V8's reports of
 * collections on, which appear between those words if there is garbage to collect.
 */
import { writeSync } from 'node:fs'
import { buildUdp } from '../../src/headers/build.js'
import { Headers } from '../../src/headers/headers.js'
import { decrementTtl } from '../../src/headers/ipv4.js'
import { writeMac } from '../../src/headers/mac.js'
import { destinationPort } from '../../src/headers/udp.js'
import { crossConnect } from '../../src/programs/cross-connect.js'
import { learningSwitch } from '../../src/programs/learning-switch.js'
import type { Program } from '../../src/programs/program.js'
import { station } from './frames.js'
import { TestLcore } from './test-lcore.js'

const headers = new Headers()
let sink = 0

const router: Program = {
  burst({ view, count, outPort, offset, length }) {
    const frames = { view, offset, length }
    for (let i = 0; i < count; i++) {
      if (!headers.parse(frames, i)) continue
      decrementTtl(view, headers.l3)
      sink += destinationPort(view, headers.l4)
      outPort[i] = 1
    }
  },
}

const scenarios: Record<string, () => { program: Program; stations: number }> = {
  'cross-connect': () => ({ program: crossConnect(), stations: 2 }),
  'two stations': () => ({ program: learningSwitch(), stations: 2 }),
  '1000 stations': () => ({ program: learningSwitch(), stations: 1000 }),
  'more stations than the table has room for': () => ({
    program: learningSwitch({ tableSize: 64 }),
    stations: 1000,
  }),
  'parsing and rewriting': () => ({ program: router, stations: 2 }),
}

const [name = '', bursts = '0'] = process.argv.slice(2)
const make = scenarios[name]
if (make === undefined) throw new Error(`no scenario ${name}`)
const { program, stations } = make()
const lcore = new TestLcore(program, ['a', 'b', 'c'])
const fields = {
  sourceIp: '10.0.0.1',
  destinationIp: '10.0.0.2',
  sourcePort: 1,
  destinationPort: 2,
}
const built = buildUdp({ ...fields, source: 0, destination: 0, minLength: 60 })
lcore.receive(
  0,
  Array.from({ length: 32 }, () => built),
)

function run(count: number): void {
  const { burst, memory } = lcore
  const { outPort, words, clock } = memory
  let next = 0
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < 32; i++) {
      const at = i * 2304 + 128
      // Stations of even number are on port 0, the others on port 1. Some frames are to everyone.
      next = (next + 2) % stations
      writeMac(burst.view, at + 6, station(next + (n & 1)))
      writeMac(burst.view, at, i === 31 ? 0xffffffffffff : station(next + 1 - (n & 1)))
      outPort[i] = -1
    }
    words[0] = n & 1
    words[3] = 0
    clock[0] = (clock[0] as number) + 0.25
    burst.begin(32)
    program.burst(burst)
  }
}

// In many calls, so that the optimiser gets to see `run` as well.
for (let i = 0; i < 200; i++) run(200)
globalThis.gc?.()
run(50_000)
writeSync(1, '\nBEGIN\n')
run(Number(bursts))
writeSync(1, '\nEND\n')
if (sink < 0) writeSync(1, 'never')
