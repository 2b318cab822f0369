import { flowTable } from '../../src/programs/flow-table/program.js'
import { tupleBursts } from '../scale/tuple-bursts.js'
import { prefixRule, randomTuples, ruleOf } from '../scale/tuples.js'
import { BURST } from './bursts.js'
import type { Operation } from './operation.js'

const TUPLES = 10_000

/** A frame of a compiled flow table, over 23 MB of frames of random 5-tuples. */
export function flowOperations(): Operation[] {
  const tuples = randomTuples(TUPLES)
  const indices = [...Array(TUPLES).keys()]
  const exact = indices.map((i) => ruleOf(tuples, i))
  const cases: [string, string[]][] = [
    ['2 rules, in_port', ['in_port=0,actions=output:1', 'in_port=1,actions=output:0']],
    ['2 rules, udp and tp_dst', ['udp,tp_dst=53,actions=drop', 'ip,actions=output:1']],
    [
      '1,000 exact 5-tuples, and the rest',
      [...exact.slice(0, 1000), 'priority=0,actions=output:3'],
    ],
    ['10,000 exact 5-tuples', exact],
    ['10,000 prefixes', indices.map((i) => prefixRule(tuples, i))],
  ]
  return cases.map(([name, rules]) => {
    const program = flowTable(rules)
    const { burst, take } = tupleBursts(tuples)
    const run = () => {
      take()
      program.burst(burst)
    }
    const group = 'A frame of a flow table, among frames of 10,000 random 5-tuples'
    return { group, name, per: BURST, run, around: take }
  })
}
