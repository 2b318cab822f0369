import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { DROP } from '../../src/burst/burst.js'
import { flowTable } from '../../src/programs/flow-table/program.js'
import { BURST } from '../micro/bursts.js'
import { nanosecondsOf } from '../micro/timing.js'
import type { Case, RulesMeasured } from './case.js'
import { tupleBursts } from './tuple-bursts.js'
import { prefixRule, randomTuples, ruleOf, TUPLE } from './tuples.js'

/** Times that a rule is added and deleted again. */
const CHANGES = 50

/** A flow table whose rules all have frames, met in an order no cache foresees. */
export function measureRules({
  form,
  rules: count,
  milliseconds,
}: Extract<Case, { kind: 'rules' }>): RulesMeasured {
  // The last has no rule at first.
  const tuples = randomTuples(count + 1)
  const textOf = form === 'exact' ? ruleOf : prefixRule
  const rules = Array.from({ length: count }, (_, i) => textOf(tuples, i))
  const { burst, take } = tupleBursts(tuples.subarray(0, count * TUPLE))

  const collect = garbageCollector()
  collect()
  const before = memory()
  const begun = performance.now()
  const program = flowTable(rules)
  take()
  program.burst(burst)
  const startMs = performance.now() - begun
  collect()
  const heapBytes = memory() - before

  const forward = () => {
    take()
    program.burst(burst)
  }
  const whole = nanosecondsOf(forward, milliseconds)
  if (burst.outPort.subarray(0, BURST).some((port) => port === DROP)) {
    throw new Error('a frame met no rule')
  }
  const around = nanosecondsOf(take, milliseconds / 2)

  const last = textOf(tuples, count)
  const selection = last.slice(0, last.indexOf(',actions'))
  const changesBegun = performance.now()
  for (let i = 0; i < CHANGES; i++) {
    program.add(last)
    forward()
    if (program.delete(selection, { strict: true }) !== 1) throw new Error(`no rule: ${selection}`)
    forward()
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

/** Node.js keeps it to itself unless asked for. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

function memory(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
