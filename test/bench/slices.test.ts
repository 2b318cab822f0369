/** What the rate depends on: which measurements that takes, and how they are shown. */
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { describe, test } from 'node:test'
import { UsageError } from '../../bench/arguments.js'
import { CONTENDERS } from '../../bench/contender.js'
import { chooseCpus } from '../../bench/cpus.js'
import { chooseMemory } from '../../bench/memory.js'
import type { Context, Table } from '../../bench/section.js'
import { slicesSection } from '../../bench/slices/section.js'
import { keyOf, lcoreCpus, sliceEntries, slicesOf } from '../../bench/slices/slices.js'

const skip = availableParallelism() < 2 && 'the bench needs two CPUs'

describe('slices', () => {
  const full = slicesOf('full', [0, 2])

  test('have one thing that changes, and all others as the others have them', () => {
    const labels = Object.fromEntries(
      full.map(({ name, places }) => [name, places.map((p) => p.label)]),
    )
    assert.deepEqual(labels, {
      sizes: ['64', '128', '256', '512', '1024', '1500', '9000', 'IMIX'],
      rings: ['split', 'packed', 'packed-inorder'],
      'queue-pairs': ['1', '2', '3', '4'],
      bursts: ['8', '16', '32', '64', '128', '256'],
      lcores: ['1', '2'],
    })
    for (const { name, places } of full) {
      const usual = places.filter(({ scenario }) => keyOf('x', scenario) === 'x@split@64')
      assert.equal(usual.length, 1, name)
    }
  })

  test('name contenders that there are', () => {
    const known = CONTENDERS.map(({ name }) => name)
    for (const { contenders } of full)
      for (const name of contenders) assert.ok(known.includes(name), name)
  })

  test('share what several of them need', () => {
    const keys = sliceEntries(full, CONTENDERS).map((one) =>
      keyOf(one.contender.name, one.scenario),
    )
    assert.equal(new Set(keys).size, keys.length)
    assert.equal(keys.filter((key) => key === 'ts-io@split@64').length, 1)
    assert.ok(keys.includes('ts-io@split@64@queuePairs=2@lcores=2'))
    assert.ok(keys.includes('ts-learning@split@imix'))
    assert.ok(!keys.includes('ovs-normal@split@64@burst=8'))
  })

  test('several lcores need CPUs that neither the switch nor the load has', () => {
    const cpus = { switch: 0, generator: 1, others: '0-1' }
    assert.equal(lcoreCpus(cpus)[0], 0)
    assert.ok(!lcoreCpus(cpus).includes(1))
    const one = slicesOf('full', [0]).find(({ name }) => name === 'lcores')
    assert.deepEqual(one?.contenders, [])
  })
})

describe('npm run bench -- slices', () => {
  test('a wrong name is refused', () => {
    const asked = { effort: 'quick', options: { slices: 'colours' } } as const
    assert.throws(() => slicesSection.check?.(asked), {
      constructor: UsageError,
      message: /--slices: 'colours' is none of sizes, rings/,
    })
  })

  test('takes no time of a quick run of all, unless it is asked for', () => {
    assert.equal(slicesSection.seconds('quick'), 0)
    const some = slicesSection.seconds('quick', { effort: 'quick', options: { slices: 'rings' } })
    assert.ok(some > 0)
    assert.ok(slicesSection.seconds('usual') < slicesSection.seconds('full'))
  })

  test('measures, and shows what it measured', { skip }, async () => {
    const context: Context = {
      effort: 'quick',
      smoke: true,
      only: ['ts-learning'],
      cpus: chooseCpus(undefined),
      memory: chooseMemory('memfd'),
      patienceSeconds: 0,
      signal: AbortSignal.timeout(60_000),
      progress: () => {},
      say: () => {},
    }
    const result = await slicesSection.measure(context)
    // As it comes out of a file.
    const read = JSON.parse(JSON.stringify(result)) as typeof result
    assert.deepEqual(Object.keys(read.runs), [
      'ts-learning@split@imix',
      'ts-learning@packed-inorder@64',
      'ts-learning@split@64@queuePairs=4',
      'ts-learning@split@64@burst=256',
    ])
    for (const run of Object.values(read.runs)) {
      assert.ok(run.mpps > 0 && run.cyclesPerPacket > 0, JSON.stringify(run))
      assert.equal(run.samples.length, 1)
    }
    const imix = read.runs['ts-learning@split@imix']
    assert.ok(imix && Math.abs(imix.gbps - (imix.mpps * 360 * 8) / 1000) < 1e-9)

    const exhibits = slicesSection.show(read)
    const tables = exhibits.filter((one): one is Table => one.kind === 'table')
    assert.deepEqual(
      tables.map(({ rows }) => rows[1]?.[0]),
      ['IMIX ts-learning', 'packed-inorder ts-learning', '4 ts-learning', '256 ts-learning'],
    )
    assert.equal(exhibits.filter(({ kind }) => kind === 'plot').length, 5)
    const figures = slicesSection.figures(read)
    assert.equal(new Set(figures.map(({ key }) => key)).size, 8)
    for (const { low = Number.NaN, value, high = Number.NaN } of figures)
      assert.ok(low <= value && value <= high)
  })
})
