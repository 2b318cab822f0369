import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CompiledFlows } from '../../src/programs/flow-table/compiler/compiled.js'
import {
  entryOf,
  type FlowCounters,
  type FlowEntry,
  orderOf,
} from '../../src/programs/flow-table/entry.js'
import { Interpreter } from '../../src/programs/flow-table/interpreter.js'
import { Members } from '../../src/programs/flow-table/members.js'
import { checkRules } from '../../src/programs/flow-table/rule.js'
import type { Surroundings } from '../../src/programs/flow-table/send.js'
import { Random, seeds } from '../headers/random.js'
import { MadeUpBurst } from '../support/made-up-burst.js'
import { type Kind, PORT_COUNT, randomFrame, randomRule } from './random-flows.js'

/** Rule sets of one test. */
const SETS = 40
/** Bursts for each. */
const BURSTS = 12
const FRAMES = 16

function entriesOf(texts: readonly string[]): FlowEntry[] {
  return checkRules(texts, 'flows').map((spec, i) => entryOf(spec, i, orderOf(spec.priority, i)))
}

function countersFor(rules: number): FlowCounters {
  return { rules: new Float64Array(2 * rules), other: new Float64Array(8) }
}

/** Notes what it is told, with the bytes of that moment. */
class Notes implements Surroundings {
  readonly notes: string[] = []
  readonly members = new Members()
  readonly #meters = [0, 0, 0]

  normal({ bytes, offset, length }: MadeUpBurst['burst'], index: number): void {
    this.notes.push(`normal ${hex(bytes, offset[index], length[index])}`)
  }

  packetIn(
    { bytes, offset, length }: MadeUpBurst['burst'],
    index: number,
    rule: number,
    most: number,
  ) {
    this.notes.push(`rule ${rule} ${most} ${hex(bytes, offset[index], length[index])}`)
  }

  /** Lets every other frame pass. */
  meter(id: number, bytes: number): boolean {
    this.notes.push(`meter ${id} ${bytes}`)
    const count = (this.#meters[id] ?? 0) + 1
    this.#meters[id] = count
    return count % 2 === 0
  }
}

function hex(bytes: Uint8Array, at = 0, length = 0): string {
  return Buffer.from(bytes.subarray(at, at + length)).toString('hex')
}

function compare(random: Random, texts: readonly string[], seen: Set<string>): void {
  const entries = entriesOf(texts)
  const expected = { counters: countersFor(entries.length), notes: new Notes() }
  const actual = { counters: countersFor(entries.length), notes: new Notes() }
  const interpreter = new Interpreter(() => entries, expected.counters, expected.notes)
  const compiled = new CompiledFlows(actual.counters, actual.notes)
  compiled.compile(entries)
  for (const { searches } of compiled.explain().tables)
    for (const { kind } of searches) seen.add(kind)
  const one = new MadeUpBurst(PORT_COUNT)
  const other = new MadeUpBurst(PORT_COUNT)
  for (let n = 0; n < BURSTS; n++) {
    const frames = Array.from({ length: FRAMES }, () => randomFrame(random))
    const port = random.below(PORT_COUNT)
    interpreter.burst(one.receive(port, frames))
    compiled.burst(other.receive(port, frames))
    const about = () =>
      `${texts.join('\n')}\nport ${port}\n${frames.map((f) => hex(f, 0, f.length)).join('\n')}`
    assert.deepEqual(other.sent(), one.sent(), about())
    assert.deepEqual(
      actual.notes.notes.splice(0).sort(),
      expected.notes.notes.splice(0).sort(),
      about(),
    )
    assert.deepEqual(actual.counters, expected.counters, about())
  }
}

const SIZES: readonly [Kind, number, number][] = [
  ['anything', 1, 8],
  ['anything', 9, 30],
  ['anything', 40, 120],
  ['tuples', 20, 300],
  ['prefixes', 20, 200],
]

describe('compiled flows do what interpreted flows do', () => {
  const seen = new Set<string>()
  for (const seed of seeds()) {
    for (const [kind, least, most] of SIZES) {
      test(`${kind}, ${least} to ${most} rules, seed ${seed}`, () => {
        const random = new Random(seed)
        for (let set = 0; set < SETS; set++) {
          const texts = Array.from({ length: random.between(least, most) }, () =>
            randomRule(random, kind),
          )
          compare(random, texts, seen)
        }
      })
    }
  }
  test('a time to live that is set, taken one from, and not matched on', () => {
    const rule = 'ip,actions=set_field:2->nw_ttl,dec_ttl,1'
    compare(new Random(1), [rule], new Set())
  })
  test('and every kind of search was among them', () => {
    assert.deepEqual([...seen].sort(), ['direct', 'hash', 'inline', 'linear', 'prefix'])
  })
})
