/** Who is alive together, and how they take turns: no DPDK. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CONTENDERS, RATIOS } from '../../bench/contender.js'
import { groupsOf } from '../../bench/groups.js'
import { inTurns } from '../../bench/in-turns.js'
import { isOfKernel } from '../../bench/load.js'
import { PausedInterval } from '../../bench/paused-interval.js'
import type { Entry } from '../../bench/plan.js'
import { ratesOptions } from '../../bench/rates/options.js'
import { turnsOf } from '../../bench/rates/turns.js'
import { sliceEntries, slicesOf } from '../../bench/slices/slices.js'
import { wantsMore } from '../../bench/windows.js'

describe('turns', () => {
  test('go there and back, without those who want no more', async () => {
    const wants = new Map([
      ['a', 3],
      ['b', 1],
      ['c', 3],
    ])
    const turns: string[] = []
    await inTurns(
      [...wants.keys()],
      (one) => turns.filter((other) => other === one).length < (wants.get(one) as number),
      async (one) => void turns.push(one),
    )
    assert.equal(turns.join(' '), 'a b c c a a c')
  })

  test('of nobody are none', () =>
    inTurns(
      [],
      () => true,
      () => assert.fail('whose turn?'),
    ))

  test('are wanted until enough windows were undisturbed, and not without an end', () => {
    const near = { far: false, shared: false, roundTrip: 100, switchLost: 0, generatorLost: 0 }
    const [far, disturbed] = [
      { ...near, far: true },
      { ...near, generatorLost: 0.3 },
    ]
    assert.equal(wantsMore([], 2), true)
    assert.equal(wantsMore([near], 2), true)
    assert.equal(wantsMore([near, disturbed], 2), true)
    assert.equal(wantsMore([near, disturbed, near], 2), false)
    assert.equal(wantsMore([near, far, disturbed, far], 2), false)
    assert.equal(wantsMore([far, far, far, far], 2), true)
    assert.equal(wantsMore(Array(8).fill(far), 2), false)
  })
})

describe('who is alive together', () => {
  const options = ratesOptions({ effort: 'full' })
  const full = turnsOf(options.contenders, options)
  const slices = sliceEntries(slicesOf('full', [0, 2]), CONTENDERS)
  const groupOf = (groups: readonly Entry[][], entry: Entry) =>
    groups.find((group) => group.includes(entry)) as Entry[]
  const namesOf = (group: readonly Entry[]) => group.map(({ contender }) => contender.name)

  test('everybody is in one group', () => {
    for (const entries of [full, slices]) {
      const all = groupsOf(entries).flat()
      assert.equal(all.length, entries.length)
      assert.deepEqual(new Set(all), new Set(entries))
    }
  })

  test('those who are compared are, in the same scenario', () => {
    const groups = groupsOf(full)
    for (const [over, under] of RATIOS) {
      for (const one of full.filter(({ contender }) => contender.name === over)) {
        const group = groupOf(groups, one)
        const { ring } = one.scenario
        const other = full.find((e) => e.contender.name === under && e.scenario.ring === ring)
        if (other !== undefined) assert.ok(group.includes(other), `${over} and ${under}, ${ring}`)
      }
    }
  })

  test('those of other scenarios, or loads, or of the kernel are not', () => {
    for (const group of [...groupsOf(full), ...groupsOf(slices)]) {
      const kinds = group.map(({ contender, scenario }) => {
        return JSON.stringify([{ load: contender.load, ...scenario }])
      })
      assert.equal(new Set(kinds).size, 1, `${namesOf(group)}: ${kinds}`)
      if (group.some(({ contender }) => isOfKernel(contender.load))) assert.equal(group.length, 1)
    }
  })

  test('few of others are, in the order of the bench', () => {
    const flows = groupsOf(full)
      .map(namesOf)
      .find((names) => names.includes('ts-flow1000'))
    assert.deepEqual(
      flows,
      CONTENDERS.flatMap(({ name, load }) => (load === 'flows' ? name : [])),
    )
    const swaps = groupsOf(full)
      .map(namesOf)
      .find((names) => names.includes('testpmd-5tswap'))
    assert.deepEqual(swaps, ['testpmd-5tswap', 'ts-flow2', 'ovs-flow2', 'vswitch-flow2'])
  })

  test('all of a place are, where there is room, though not all are compared', () => {
    const burst = groupsOf(slices).find(([one]) => one?.scenario.burst === 256) as Entry[]
    assert.deepEqual(namesOf(burst), ['testpmd-io', 'ts-learning', 'vswitch-normal'])
  })
})

test('what is done every so often is not done while it is paused', async () => {
  let done = 0
  const interval = new PausedInterval(() => done++, 1)
  await sleep(20)
  assert.equal(done, 0)
  interval.resume()
  interval.resume()
  while (done < 3) await sleep(1)
  interval.pause()
  interval.pause()
  const before = done
  await sleep(20)
  assert.equal(done, before)
  interval.resume()
  while (done === before) await sleep(1)
  interval.pause()
})
