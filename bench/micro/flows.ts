import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { Burst, DROP, MAX_FRAMES, MAX_PORTS } from '../../src/burst/burst.js'
import { buildUdp } from '../../src/headers/build.js'
import { formatIpv4 } from '../../src/headers/ip-address.js'
import { flowTable } from '../../src/programs/flow-table/program.js'

const BUFFER = 2304
const HEADROOM = 128
const COUNT = 32

/** Frames in packet memory, from which every burst takes the next ones, as a pool gives out its buffers. */
const FRAMES = 10_240

/** How long each is measured. */
const MILLISECONDS = 1500

interface Tuple {
  sourceIp: string
  destinationIp: string
  sourcePort: number
  destinationPort: number
}

/** Repeatable numbers below 2 to the 32nd. */
function numbers(): () => number {
  let state = 1
  return () => {
    state = (Math.imul(state, 0x41a7_3ab5) + 0x3c6e_f35f) | 0
    return (state ^ (state >>> 15)) >>> 0
  }
}

function randomTuples(count: number): Tuple[] {
  const next = numbers()
  return Array.from({ length: count }, () => ({
    sourceIp: formatIpv4((0x0a000000 | (next() & 0xffffff)) >>> 0),
    destinationIp: formatIpv4((0x0a000000 | (next() & 0xffffff)) >>> 0),
    sourcePort: next() & 0xffff,
    destinationPort: next() & 0xffff,
  }))
}

function burstOver(tuples: readonly Tuple[]): { burst: Burst; take(): void } {
  const memory = {
    packets: new ArrayBuffer(FRAMES * BUFFER),
    offset: new Uint32Array(MAX_FRAMES),
    length: new Uint32Array(MAX_FRAMES),
    outPort: new Int32Array(MAX_FRAMES),
    copyFrame: new Uint32Array(MAX_FRAMES),
    copyPort: new Int32Array(MAX_FRAMES),
    words: new Uint32Array(16),
    clock: Float64Array.of(1_000_000),
    readyPorts: new Uint32Array(MAX_PORTS),
    isReady: new Uint8Array(MAX_PORTS),
  }
  const bytes = new Uint8Array(memory.packets)
  const source = '02:00:00:00:00:01'
  const destination = '02:00:00:00:00:02'
  for (let i = 0; i < FRAMES; i++) {
    const tuple = tuples[i % tuples.length] as Tuple
    const frame = buildUdp({ source, destination, ...tuple, minLength: 60 })
    bytes.set(frame, i * BUFFER + HEADROOM)
  }
  const burst = new Burst(memory, { flushCopies() {}, create: () => -1, duplicate: () => -1 })
  let next = 0
  return {
    burst,
    take() {
      const { offset, length, outPort, clock } = memory
      for (let i = 0; i < COUNT; i++) {
        offset[i] = next * BUFFER + HEADROOM
        length[i] = 60
        outPort[i] = DROP
        next = next + 1 === FRAMES ? 0 : next + 1
      }
      clock[0] = (clock[0] as number) + 0.002
      burst.begin(COUNT)
    },
  }
}

/** Nanoseconds a frame of a program, less those of the loop around it. */
function measure(rules: readonly string[], tuples: readonly Tuple[]): number {
  const program = flowTable(rules)
  const { burst, take } = burstOver(tuples)
  const time = (run: () => void) => {
    const once = (milliseconds: number) => {
      const begin = performance.now()
      let bursts = 0
      while (performance.now() - begin < milliseconds) for (let i = 0; i < 100; i++, bursts++) run()
      return ((performance.now() - begin) * 1e6) / (bursts * COUNT)
    }
    once(MILLISECONDS / 3)
    return Math.min(...[1, 2, 3, 4, 5].map(() => once(MILLISECONDS / 5)))
  }
  const whole = time(() => {
    take()
    program.burst(burst)
  })
  return whole - time(take)
}

const exact = ({ sourceIp, destinationIp, sourcePort, destinationPort }: Tuple, i: number) =>
  `udp,nw_src=${sourceIp},nw_dst=${destinationIp},tp_src=${sourcePort},tp_dst=${destinationPort},actions=output:${1 + (i & 1)}`

/** Cycles a frame of flow tables. A loop of its own: it looks for the steady state of long runs over much memory. */
export function benchFlows(): void {
  // What os.cpus() says is 0 in many virtual machines.
  const [, mhz] = /^cpu MHz\s*: ([\d.]+)/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? []
  const cycles = (ns: number) =>
    mhz === undefined ? '' : `, ${((ns * Number(mhz)) / 1000).toFixed(0)} cycles`
  const tuples = randomTuples(10_000)
  const next = numbers()
  const prefixes = Array.from({ length: 10_000 }, (_, i) => {
    const bits = 16 + (next() % 17)
    return `priority=${bits},ip,nw_dst=${formatIpv4((0x0a000000 | (next() & 0xffffff)) >>> 0)}/${bits},actions=output:${1 + (i & 1)}`
  })
  const cases: [string, string[]][] = [
    ['2 rules, in_port', ['in_port=0,actions=output:1', 'in_port=1,actions=output:0']],
    ['2 rules, udp and tp_dst', ['udp,tp_dst=53,actions=drop', 'ip,actions=output:1']],
    [
      '1,000 exact 5-tuples, and the rest',
      [...tuples.slice(0, 1000).map(exact), 'priority=0,actions=output:3'],
    ],
    ['10,000 exact 5-tuples', tuples.map(exact)],
    ['10,000 prefixes', prefixes],
  ]
  console.log('flow tables over 10,240 frames of 10,000 random 5-tuples')
  for (const [name, rules] of cases) {
    const ns = measure(rules, tuples)
    console.log(`${name.padEnd(40)} ${ns.toFixed(1)} ns${cycles(ns)} a frame`)
  }
}
