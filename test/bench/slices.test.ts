/** What the rate depends on: which measurements that takes, and how they are shown. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { UsageError } from '../../bench/arguments.js'
import { CONTENDERS } from '../../bench/contender.js'
import type { Plot } from '../../bench/section.js'
import { gbpsOf } from '../../bench/slices/result.js'
import { slicesSection } from '../../bench/slices/section.js'
import { keyOf, lcoreCpus, sliceEntries, slicesOf } from '../../bench/slices/slices.js'

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

test('the only sample of a place is its lowest and its highest, in whatever unit', () => {
  // Numbers with many digits: rounded in another way, some come out beside themselves.
  const rates = Array.from({ length: 500 }, (_, i) => 0.1 + Math.PI * i)
  const keys = rates.map((_, i) => `ts-io@split@${64 + i}`)
  const runs = rates.map((mpps, i) => {
    const sample = { mpps, cyclesPerPacket: 100, busy: 1, generatorBusy: 1, burst: 32, dropped: 0 }
    const around = { roundTrip: 100, switchLost: 0, generatorLost: 0 }
    const run = { name: 'ts-io', ring: 'split' as const, frameBytes: 64 + i }
    const rounds = [{ ...sample, ...around }]
    return [keys[i] as string, { ...run, ...sample, lost: 0, samples: [mpps], rounds }] as const
  })
  const sizes = { name: 'sizes', title: '', axis: '', labels: keys, contenders: ['ts-io'] }
  const exhibits = slicesSection.show({
    rounds: 1,
    slices: [{ ...sizes, keys: [keys] }],
    runs: Object.fromEntries(
      runs.map(([key, run]) => [key, { ...run, gbps: gbpsOf(run.mpps, run.frameBytes) }]),
    ),
    noise: { calibrations: [] },
    leftOut: [],
    caveats: [],
  })
  const plots = exhibits.filter((one): one is Plot => one.kind === 'plot')
  assert.deepEqual(
    plots.map(({ y }) => y.label),
    ['Mpps', 'Gbit/s'],
  )
  for (const { y, low, high } of plots.flatMap(({ series }) => series[0]?.points ?? [])) {
    assert.deepEqual([low, high], [y, y])
  }
})

describe('npm run bench -- slices', () => {
  test('a wrong name is refused', () => {
    const asked = { effort: 'quick', options: { slices: 'colours' } } as const
    assert.throws(() => slicesSection.check?.(asked), {
      constructor: UsageError,
      message: /--slices: 'colours' is none of sizes, rings/,
    })
  })

  test('takes less time when parts of it are asked for', () => {
    const some = slicesSection.seconds('quick', { effort: 'quick', options: { slices: 'rings' } })
    assert.ok(some > 0 && some < slicesSection.seconds('quick'))
    assert.ok(slicesSection.seconds('usual') < slicesSection.seconds('full'))
  })
})
