import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { buildUdp } from '../../src/headers/build.js'
import { formatIpv4 } from '../../src/headers/ip-address.js'
import { flowTable } from '../../src/programs/flow-table/program.js'
import { BURST, Bursts } from '../micro/bursts.js'
import { nanosecondsOf } from '../micro/timing.js'
import type { Case, RuleForm, RulesMeasured } from './case.js'
import { coprimeStep, numbers } from './walk.js'

/** Times that a rule is added and deleted again. */
const CHANGES = 50

/** From the start of a frame to its IP addresses, in 16-bit words. */
const ADDRESSES_AT = (14 + 12) / 2

/** 16-bit words from the source address on: two addresses, two ports. */
const TUPLE = 6

/** A flow table whose rules all have frames, met in an order no cache foresees. */
export function measureRules({
  form,
  rules: count,
  milliseconds,
}: Extract<Case, { kind: 'rules' }>): RulesMeasured {
  const tuples = randomTuples(count)
  const collect = garbageCollector()
  const rules = textsOf(form, tuples, count)
  const { bursts, take } = framesOf(tuples, count)
  const { burst } = bursts

  collect()
  const before = memory()
  const begun = performance.now()
  const program = flowTable(rules)
  take()
  program.burst(burst)
  const startMs = performance.now() - begun
  collect()
  const heapBytes = memory() - before

  const whole = nanosecondsOf(() => {
    take()
    program.burst(burst)
  }, milliseconds)
  const around = nanosecondsOf(take, milliseconds / 2)

  // Of the form that the others have, and of none of them.
  const other = textsOf(form, Uint16Array.of(0xff0b, 1, 0xff0b, 2, 3, 4), 1)[0] as string
  const selection = other.slice(0, other.indexOf(',actions'))
  const changesBegun = performance.now()
  for (let i = 0; i < CHANGES; i++) {
    program.add(other)
    program.burst(burst)
    if (program.delete(selection, { strict: true }) !== 1)
      throw new Error(`no rule is ${selection}`)
    program.burst(burst)
  }
  const changeMs = (performance.now() - changesBegun) / CHANGES
  return {
    kind: 'rules',
    nanosecondsPerFrame: (whole - around) / BURST,
    startMs,
    changeMs,
    heapBytes,
  }
}

/** Words as they lie in frames, so with the octets of each swapped; all addresses are in 10.0.0.0/8. */
function randomTuples(count: number): Uint16Array {
  const next = numbers()
  const words = Uint16Array.from({ length: count * TUPLE }, () => next() & 0xffff)
  for (let i = 0; i < words.length; i += TUPLE) {
    for (const at of [i, i + 2]) words[at] = ((words[at] as number) & 0xff00) | 10
  }
  return words
}

function textsOf(form: RuleForm, tuples: Uint16Array, count: number): string[] {
  const word = (i: number, at: number) => {
    const swapped = tuples[i * TUPLE + at] as number
    return ((swapped & 0xff) << 8) | (swapped >>> 8)
  }
  const address = (i: number, at: number) => ((word(i, at) << 16) | word(i, at + 1)) >>> 0
  return Array.from({ length: count }, (_, i) => {
    const output = `actions=output:${1 + (i & 1)}`
    if (form === 'prefix') {
      const bits = 16 + (i % 17)
      const prefix = (address(i, 2) & (-1 << (32 - bits))) >>> 0
      return `priority=${bits},ip,nw_dst=${formatIpv4(prefix)}/${bits},${output}`
    }
    const [source, destination] = [formatIpv4(address(i, 0)), formatIpv4(address(i, 2))]
    return `udp,nw_src=${source},nw_dst=${destination},tp_src=${word(i, 4)},tp_dst=${word(i, 5)},${output}`
  })
}

function framesOf(tuples: Uint16Array, count: number) {
  const frame = buildUdp({
    source: '02:00:00:00:00:01',
    destination: '02:00:00:00:00:02',
    sourceIp: '10.0.0.1',
    destinationIp: '10.0.0.2',
    sourcePort: 1,
    destinationPort: 2,
    minLength: 60,
  })
  const bursts = new Bursts(() => frame)
  const { burst, words } = bursts
  const step = coprimeStep(count)
  let at = 0
  const take = () => {
    bursts.take()
    for (let i = 0; i < BURST; i++) {
      at += step
      if (at >= count) at -= count
      const place = ((burst.offset[i] as number) >>> 1) + ADDRESSES_AT
      for (let word = 0; word < TUPLE; word++) {
        words[place + word] = tuples[at * TUPLE + word] as number
      }
    }
  }
  return { bursts, take }
}

/** Node.js keeps it to itself unless asked for. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

function memory(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
