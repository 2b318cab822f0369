/**
 * Runs flow tables over many bursts between the words BEGIN and END. Started by `no-garbage.test.ts` with V8's reports
 * of collections on, which appear between those words if there is garbage to collect.
 */
import { writeSync } from 'node:fs'
import { buildUdp } from '../../src/headers/build.js'
import { flowTable } from '../../src/programs/flow-table/program.js'
import { MadeUpBurst } from '../support/made-up-burst.js'

const many = (make: (i: number) => string) => Array.from({ length: 1000 }, (_, i) => make(i))

const scenarios: Record<string, string[]> = {
  'two rules': ['in_port=0,actions=output:1', 'in_port=1,actions=output:0'],
  'a chain of rules': [
    'priority=3,udp,tp_dst=53,actions=mod_nw_dst:10.0.0.9,dec_ttl,output:1',
    'priority=2,tcp,actions=drop',
    'priority=1,actions=goto_table:1',
    'table=1,actions=output:1,2',
  ],
  '1000 exact rules': many((i) => `udp,nw_src=10.0.0.${i & 255},tp_src=${i},tp_dst=53,actions=1`),
  '1000 prefixes': many((i) => `ip,nw_dst=10.${i & 255}.0.0/${9 + (i & 15)},actions=${i & 1}`),
  '200 rules of 200 masks': many(
    (i) =>
      `priority=${i % 200},udp,tp_src=${i % 200}/${(i % 200) | 0x400},idle_timeout=9,actions=dec_ttl,flood`,
  ),
  normal: ['actions=normal'],
  'meter and controller': ['actions=meter:1,controller:64,output:1'],
}

const [name = '', bursts = '0'] = process.argv.slice(2)
const rules = scenarios[name]
if (rules === undefined) throw new Error(`no scenario ${name}`)
let sink = 0
const program = flowTable({
  rules,
  meters: [{ id: 1, unit: 'pktps', rate: 1000 }],
  onPacketIn: ({ length }) => {
    sink += length
  },
})
const memory = new MadeUpBurst(3)
const frames = Array.from({ length: 32 }, (_, i) =>
  buildUdp({
    source: 0x02_00_00_00_00_01,
    destination: 0x02_00_00_00_00_02,
    sourceIp: `10.0.0.${i}`,
    destinationIp: `10.${i}.0.2`,
    sourcePort: i,
    destinationPort: 53,
    ttl: 255,
    minLength: 60,
  }),
)
const burst = memory.receive(0, frames)

function run(count: number): void {
  const { view } = burst
  const { outPort, offset, words, clock } = memory.memory
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < 32; i++) {
      outPort[i] = -1
      view.setUint8((offset[i] as number) + 22, 255)
    }
    words[0] = n & 1
    words[3] = 0
    clock[0] = (clock[0] as number) + 0.25
    burst.begin(32)
    program.burst(burst)
  }
}

// In many calls, so that the optimiser gets to see `run` as well.
for (let i = 0; i < 200; i++) run(100)
globalThis.gc?.()
run(20_000)
writeSync(1, '\nBEGIN\n')
run(Number(bursts))
writeSync(1, '\nEND\n')
if (sink < 0) writeSync(1, 'never')
