/**
 * Guards many bursts between the words BEGIN and END. Started by `no-garbage.test.ts` with V8's reports of collections
 * on, which appear between those words if there is garbage to collect.
 */
import { writeSync } from 'node:fs'
import { type Burst, DROP } from '../../../../src/burst/burst.js'
import { buildArpRequest, buildEcho, buildUdp } from '../../../../src/headers/build.js'
import { Guards, newGuardMemory } from '../../../../src/switch/guards/guards.js'
import type { AttachmentSpec, MirrorSpec } from '../../../../src/switch/spec.js'
import { MadeUpBurst } from '../../../support/made-up-burst.js'
import { attached } from '../../images.js'

const PORTS = 6
const mac = (number: number) => `02:00:00:00:00:0${number}`
const secured = { portSecurity: [{ mac: mac(1), ips: ['10.0.0.0/28', 'fd00::1'] }] }
const policed = { ingressPolicingRate: 100_000, egressPolicer: { cir: 10_000_000, cbs: 100_000 } }
const mirror: MirrorSpec = {
  name: 'm',
  selectAll: true,
  selectSrcPort: [],
  selectDstPort: [],
  selectVlan: [0],
  outputPort: 'p5',
  outputVlan: undefined,
  snaplen: undefined,
}
const scenarios: Record<string, [Partial<AttachmentSpec>, MirrorSpec[]]> = {
  'port security': [secured, []],
  policers: [policed, []],
  mirrors: [{}, [mirror]],
  'mirrors to a VLAN, cut': [
    {},
    [{ ...mirror, outputPort: undefined, outputVlan: 20, snaplen: 50 }],
  ],
  all: [{ ...secured, ...policed }, [mirror]],
}

const [name = '', bursts = '0'] = process.argv.slice(2)
const scenario = scenarios[name]
if (scenario === undefined) throw new Error(`no scenario ${name}`)
const ids = Array.from({ length: PORTS }, (_, id) => id)
const guards = new Guards(newGuardMemory())
guards.configure(
  new Map(ids.map((id) => [id, attached(id < 2 ? scenario[0] : {})])),
  new Map(ids.map((id) => [`p${id}`, id])),
  scenario[1],
)

const lcore = new MadeUpBurst(PORTS)
const ethernet = { source: mac(1), destination: mac(2) }
const given = Array.from({ length: 32 }, (_, i) => {
  const sourceIp = `10.0.0.${i}`
  if (i % 8 === 1)
    return buildArpRequest({ senderMac: mac(1), senderIp: sourceIp, targetIp: '10.0.0.9' })
  if (i % 8 === 2) return buildEcho({ ...ethernet, sourceIp: 'fd00::1', destinationIp: 'fd00::2' })
  return buildUdp({
    ...ethernet,
    sourceIp,
    destinationIp: '10.0.0.9',
    sourcePort: i,
    destinationPort: 53,
  })
})
const burst = lcore.receive(0, given)

function decide(passed: Burst): void {
  for (let i = 0; i < passed.count; i++) {
    passed.outPort[i] = passed.inPort ^ 1
    passed.copyTo(i, 3)
  }
}

function run(count: number): void {
  const { outPort, words, clock } = lcore.memory
  for (let n = 0; n < count; n++) {
    outPort.fill(DROP, 0, 64)
    words[0] = n & 1
    words[2] = 32
    words[3] = 0
    clock[0] = (clock[0] as number) + 0.25
    burst.begin(32)
    const passed = guards.ingress(burst)
    if (passed.count > 0) decide(passed)
    guards.egress(burst)
  }
}

// In many calls, so that the optimiser gets to see `run` as well.
for (let i = 0; i < 200; i++) run(100)
globalThis.gc?.()
run(20_000)
writeSync(1, '\nBEGIN\n')
run(Number(bursts))
writeSync(1, '\nEND\n')
