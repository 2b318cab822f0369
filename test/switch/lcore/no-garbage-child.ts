/**
 * Runs the switch's program over many bursts between the words BEGIN and END. Started by `no-garbage.test.ts` with V8's
 * reports of collections on, which appear between those words if there is garbage to collect.
 */
import { writeSync } from 'node:fs'
import { BurstWord, DROP } from '../../../src/burst/burst.js'
import { buildUdp } from '../../../src/headers/build.js'
import { SharedFlows } from '../../../src/programs/flow-table/shared.js'
import { attached, settings } from '../images.js'
import { imageOf, SwitchLcore } from './switch-lcore.js'

const PORTS = ['p0', 'p1']
const FRAMES = 32
const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02'] as const
const IP = '198.18.0.1'

const crossed = ['in_port=p0,actions=output:p1', 'in_port=p1,actions=output:p0']
const denied = [
  ...Array.from({ length: 100 }, (_, i) => `priority=10,udp,tp_dst=${5000 + i},actions=drop`),
  'priority=1,udp,actions=meter:1,normal',
  'priority=0,actions=normal',
]
const scenarios: Record<string, { rules?: string[]; guards?: true }> = {
  bridge: {},
  'two rules': { rules: crossed },
  'rules before the bridge': { rules: denied },
  guards: { guards: true },
  all: { rules: denied, guards: true },
}

const [name = '', bursts = '0'] = process.argv.slice(2)
const scenario = scenarios[name]
if (scenario === undefined) throw new Error(`no scenario ${name}`)
const { rules, guards } = scenario
const guarded = (mac: string) => ({
  portSecurity: [{ mac, ips: [IP] }],
  ingressPolicingRate: 400_000_000,
  ingressPolicingKpktsRate: 1_000_000,
  egressPolicer: { cir: 50_000_000_000, cbs: 500_000_000 },
  egressPacketPolicer: { cir: 1_000_000_000, cbs: 10_000_000 },
})
const flows =
  rules &&
  new SharedFlows({ rules, meters: [{ id: 1, rate: 4_000_000_000 }], deliver: async () => {} })
const { program, flow } = new SwitchLcore(PORTS)
await program.put(
  imageOf('br0', PORTS, {
    settings: settings({
      stormLimit: { broadcast: 1000, multicast: 1000, unknownUnicast: 1000 },
    }),
    ports: Object.fromEntries(
      PORTS.map((port, i) => [port, attached(guards && guarded(MACS[i as 0 | 1]))]),
    ),
    flows: flows?.replica(),
  }),
)

const frames = MACS.map((source, i) =>
  buildUdp({
    source,
    destination: MACS[(i ^ 1) as 0 | 1],
    sourceIp: IP,
    destinationIp: '198.18.0.2',
    sourcePort: 9,
    destinationPort: 9,
    minLength: 60,
  }),
)
const { memory, burst } = flow
// Each port has frames of its own.
flow.receive(
  0,
  Array.from({ length: 2 * FRAMES }, (_, i) => frames[i < FRAMES ? 0 : 1] as Uint8Array),
)
const places = memory.offset.slice(0, 2 * FRAMES)

function run(count: number): void {
  const { outPort, offset, words, clock } = memory
  for (let n = 0; n < count; n++) {
    const port = n & 1
    for (let i = 0; i < FRAMES; i++) {
      offset[i] = places[port * FRAMES + i] as number
      outPort[i] = DROP
    }
    words[BurstWord.inPort] = port
    words[BurstWord.total] = FRAMES
    words[BurstWord.copyCount] = 0
    clock[0] = (clock[0] as number) + 0.25
    burst.begin(FRAMES)
    program.burst(burst)
    // What is refused takes other ways, and no frame of these is.
    if (n > 1 && outPort[FRAMES - 1] !== (port ^ 1)) throw new Error(`burst ${n} was dropped`)
  }
}

// In many calls, so that the optimiser gets to see `run` as well.
for (let i = 0; i < 200; i++) run(100)
globalThis.gc?.()
run(20_000)
writeSync(1, '\nBEGIN\n')
run(Number(bursts))
writeSync(1, '\nEND\n')
