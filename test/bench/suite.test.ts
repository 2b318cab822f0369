/** What runs sections one after the other: what is kept when one fails, when all is stopped, and when time is up. */
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BUDGET, RESERVE } from '../../bench/budget.js'
import { chooseCpus } from '../../bench/cpus.js'
import { type Report, resultOf } from '../../bench/json-report.js'
import { chooseMemory } from '../../bench/memory.js'
import type { Options } from '../../bench/options.js'
import type { Context, Section } from '../../bench/section.js'
import { runSuite, type SuiteListener } from '../../bench/suite.js'
import { Turns } from '../../bench/twice.js'
import { caveatsOf } from '../../bench/verdict.js'
import { machine, quickOptions } from './support.js'

const skip = availableParallelism() < 2 && 'the bench needs two CPUs'

function section(
  name: string,
  measure: (context: Context) => Promise<unknown>,
  more: Partial<Section> = {},
): Section {
  const rest = { title: name, seconds: () => 1, show: () => [], figures: () => [] }
  return { ...rest, name, measure, ...more }
}

async function run(
  sections: readonly Section[],
  more: Partial<Options> = {},
  stop = new AbortController(),
  budget?: typeof BUDGET,
  kept?: SuiteListener['kept'],
) {
  const options = quickOptions(sections, more)
  const said: string[] = []
  const listener = {
    begin: ({ name }: Section) => said.push(`begin ${name}`),
    progress: (what: string, done: number) => said.push(`${what} ${done}`),
    say: (what: string) => said.push(what),
    end: (report: Report) => said.push(`end ${Object.keys(report.sections)}`),
    ...(kept && { kept }),
  }
  const suite = {
    options,
    cpus: chooseCpus(undefined),
    memory: chooseMemory('memfd'),
    machine: machine(),
  }
  return { report: await runSuite(suite, listener, stop.signal, budget), said }
}

describe('sections', { skip }, () => {
  test('are given what was asked for, and say how far they are', async () => {
    let seen: Context | undefined
    const one = section('one', async (context) => {
      seen = context
      context.progress('half', 0.5)
      return { value: 7 }
    })
    const { report, said } = await run([one], { only: ['a'], own: { rounds: '3' }, smoke: true })
    assert.deepEqual(seen?.only, ['a'])
    assert.deepEqual(seen?.options, { rounds: '3' })
    assert.equal(seen?.smoke, true)
    assert.deepEqual(said, ['begin one', 'half 0.5', 'end one'])
    assert.deepEqual(resultOf(report, one), { value: 7 })
    assert.equal(report.interrupted, undefined)
  })

  test('have with them how the machine was', async () => {
    const { report } = await run([section('one', async () => ({}))])
    const conditions = report.sections.one?.conditions
    assert.ok(conditions && conditions.stolen >= 0 && conditions.others >= 0)
    assert.equal(conditions.calibrations.length, 2)
    for (const { work } of conditions.calibrations) assert.ok(work[0] > 0 && work[1] > 0)
  })

  test('at the top leave their keys there', async () => {
    const top = section('top', async () => ({ runs: [1], settings: { rounds: 2 } }), {
      atTop: true,
    })
    const { report } = await run([top, section('other', async () => 'its')])
    assert.deepEqual((report as Report & { runs: unknown }).runs, [1])
    assert.deepEqual(report.settings, { effort: 'quick', patienceSeconds: 0, rounds: 2 })
    assert.equal(report.sections.top?.result, undefined)
    assert.deepEqual((resultOf(report, top) as { runs: unknown }).runs, [1])
    assert.equal(report.sections.other?.result, 'its')
  })

  test('one that fails is told, and the next is measured', async () => {
    const failing = section('failing', async ({ keep }) => {
      keep?.('half of it')
      throw new Error('no frames came')
    })
    const { report, said } = await run([failing, section('next', async () => 'whole')])
    assert.equal(report.sections.failing?.incomplete, 'failed: no frames came')
    assert.equal(report.sections.failing?.result, 'half of it')
    assert.equal(report.sections.next?.result, 'whole')
    assert.ok(said.some((text) => text.startsWith('failing failed: Error: no frames came')))
    assert.ok(caveatsOf(report).includes('failing: failed: no frames came'))
  })

  test('one that loses a part is told as failed, and has all else', async () => {
    const losing = section('losing', async (context) => {
      const turns = new Turns(context)
      let calls = 0
      const fail = () => Promise.reject(new Error(`no frames came; it said last: ${++calls}`))
      const taken: unknown[] = []
      for (let round = 0; round < 2; round++) {
        taken.push(await turns.take('a', fail), await turns.take('b', async () => round))
      }
      return { taken, calls }
    })
    const { report, said } = await run([losing, section('next', async () => 'whole')])
    assert.equal(report.sections.losing?.incomplete, 'failed: a: no frames came')
    // It is tried twice, and never again.
    const taken = [undefined, 0, undefined, 1]
    assert.deepEqual(report.sections.losing?.result, { taken, calls: 2 })
    assert.ok(said.includes('left out from now on: a: no frames came; it said last: 2'))
    assert.equal(report.sections.next?.result, 'whole')
  })

  test('what they hand over meanwhile is there to be written', async () => {
    const sofar: Report[] = []
    const one = section('one', async ({ keep }) => {
      keep?.('half of it')
      return 'whole'
    })
    const kept = (report: () => Report) => sofar.push(report())
    const { report } = await run([one], {}, undefined, undefined, kept)
    assert.deepEqual(
      sofar.map(({ sections }) => [sections.one?.result, sections.one?.incomplete]),
      [['half of it', 'it never came to its end']],
    )
    assert.equal(report.sections.one?.incomplete, undefined)
  })

  test('when all is stopped, what was kept remains, as it was then', async () => {
    const stop = new AbortController()
    const rounds: number[] = []
    const stopped = section('stopped', async ({ keep, signal }) => {
      rounds.push(1)
      keep?.({ rounds })
      rounds.push(2)
      stop.abort(new Error('stopped by SIGINT'))
      await sleep(10_000, undefined, { signal })
    })
    const never = section('never', () => assert.fail('it is not to be begun'))
    const { report } = await run([section('first', async () => 1), stopped, never], {}, stop)
    assert.equal(report.interrupted, 'stopped by SIGINT')
    assert.deepEqual(Object.keys(report.sections), ['first', 'stopped'])
    assert.equal(report.sections.first?.result, 1)
    assert.deepEqual(report.sections.stopped?.result, { rounds: [1] })
    assert.ok(caveatsOf(report)[0]?.startsWith('interrupted (stopped by SIGINT)'))
  })

  test('that are slow do not take the time of the others, and leave what they have', async () => {
    const end = { quick: 2 + RESERVE, usual: 900, full: Infinity }
    const slow = section('slow', async ({ keep, signal, seconds }) => {
      assert.ok(seconds !== undefined && seconds <= 1, String(seconds))
      keep?.('half of it')
      await sleep(10_000, undefined, { signal })
    })
    const quick = section('quick', async () => 'whole')
    const { report } = await run([slow, quick], { whole: true }, undefined, end)
    assert.equal(report.sections.slow?.result, 'half of it')
    assert.match(report.sections.slow?.incomplete ?? '', /its 1 s were up; npm run bench -- slow/)
    assert.equal(report.sections.quick?.result, 'whole')
    assert.equal(report.interrupted, undefined)
  })

  test('that were chosen have no end', async () => {
    const one = section('one', async ({ seconds }) => seconds ?? 'as long as it takes')
    assert.equal((await run([one])).report.sections.one?.result, 'as long as it takes')
  })
})

describe('caveats', () => {
  const told = (more: Partial<Report>) =>
    caveatsOf({
      machine: machine(),
      settings: { effort: 'usual', patienceSeconds: 0 },
      sections: {},
      ...more,
    }).join('\n')
  const during = (conditions: { stolen?: number; others?: number; slower?: number }) => ({
    seconds: 1,
    conditions: {
      stolen: conditions.stolen ?? 0,
      others: conditions.others ?? 0,
      loadBefore: 0,
      calibrations: [
        { work: [10, 10], roundTrip: 100 },
        { work: [10 * (conditions.slower ?? 1), 10], roundTrip: 100 },
      ] as const,
    },
  })

  test('of the machine', () => {
    const odd = {
      ...machine(),
      virtual: true,
      siblings: [
        [0, 1],
        [0, 1],
      ] as const,
      numaNodes: [0, 1] as const,
      governor: 'powersave',
      cpuQuota: 1.5,
    }
    const text = told({ machine: odd })
    for (const word of [
      'virtual machine',
      'two hardware threads of one core',
      'different memory nodes, 0 and 1',
      'governor is powersave',
      '1.5 CPUs of 2',
      'no hugepages',
    ]) {
      assert.ok(text.includes(word), `${word}\n${text}`)
    }
    assert.equal(told({ machine: { ...machine(), memory: 'hugepages' } }), '')
  })

  test('of what others did meanwhile, by section, the worst first', () => {
    const sections = { a: during({ others: 0.3 }), b: during({ others: 0.9, stolen: 0.02 }) }
    assert.match(told({ sections }), /other programs used 0\.9 CPUs during b, less during a/)
    assert.match(told({ sections }), /the host took 2\.0 % of both CPUs during b$/m)
    assert.doesNotMatch(told({ sections: { a: during({}) } }), /noisy/)
    const slow = told({ sections: { a: during({ slower: 1.3 }) } })
    assert.match(slow, /the switch's CPU took up to 30 % longer/)
  })
})
