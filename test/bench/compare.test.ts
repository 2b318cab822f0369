/** `--compare`: what counts as moved, and what is said of the machines. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { comparison, differencesOf, movesOf } from '../../bench/compare.js'
import type { Report } from '../../bench/json-report.js'
import type { Figure, Section } from '../../bench/section.js'
import { machine } from './support.js'

const section: Section<readonly Figure[]> = {
  name: 'made-up',
  title: 'Figures as they are',
  seconds: () => 1,
  measure: async () => [],
  show: () => [],
  figures: (figures) => [...figures],
}

function report(figures: readonly Partial<Figure>[], more: Partial<Report> = {}): Report {
  const result = figures.map((figure) => ({ key: 'rate', unit: 'Mpps', better: 'more', ...figure }))
  return {
    machine: machine(),
    settings: { effort: 'usual', patienceSeconds: 0 },
    sections: { 'made-up': { seconds: 1, result } },
    ...more,
  }
}

function moveOf(old: Partial<Figure>, now: Partial<Figure>) {
  const [move, ...others] = movesOf(report([old]), report([now]), [section])
  assert.ok(move)
  assert.deepEqual(others, [])
  return move
}

describe('a figure moved', () => {
  for (const [what, old, now, moved] of [
    ['when the spreads are apart', [10, 9, 11], [12, 11.5, 13], true],
    ['not when they touch', [10, 9, 11], [12, 11, 13], false],
    ['not when one lies in the other', [10, 5, 15], [12, 11.9, 12.1], false],
    ['not when it is a trifle, however steady', [10, 9.99, 10.01], [10.1, 10.09, 10.11], false],
    ['with supposed spreads, where there are none', [10], [12], true],
    ['not by less than those', [10], [10.5], false],
    ['with supposed spreads, after a single round', [10, 10, 10], [10.5, 10.5, 10.5], false],
    ['when it became nothing', [10, 9, 11], [0, 0, 0], true],
  ] as const) {
    const figure = ([value, low, high]: readonly number[]): Partial<Figure> =>
      low === undefined || high === undefined
        ? { value: value as number }
        : { value: value as number, low, high }
    test(what, () => assert.equal(moveOf(figure(old), figure(now)).moved, moved))
  }

  test('to the better or the worse, as the figure says', () => {
    assert.equal(moveOf({ value: 1 }, { value: 2 }).better, true)
    assert.equal(moveOf({ value: 1, better: 'less' }, { value: 2, better: 'less' }).better, false)
    assert.equal(moveOf({ value: 2, better: 'less' }, { value: 1, better: 'less' }).better, true)
  })
})

describe('the text', () => {
  test('has what moved, both spreads, and how many did not', () => {
    const old = report([
      { key: 'a', value: 10, low: 9, high: 11 },
      { key: 'b', value: 5 },
      { key: 'gone', value: 5 },
    ])
    const now = report([
      { key: 'a', value: 15, low: 14, high: 16 },
      { key: 'b', value: 5 },
      { key: 'new', value: 5 },
    ])
    const text = comparison(old, now, [section])
    assert.match(text, /made-up: a +10 \(9-11\) +15 \(14-16\) +Mpps +x 1\.50 +better/)
    assert.doesNotMatch(text, /made-up: b/)
    assert.match(text, /1 of 2 figures moved/)
  })

  test('says so when nothing can be compared', () => {
    assert.match(comparison(report([]), report([]), [section]), /have no figure in common/)
  })
})

describe('differences', () => {
  test('of machines, versions and settings', () => {
    const before = machine()
    const after = { ...before, governor: 'powersave', memory: 'hugepages' as const }
    const versions = { ...before.versions, node: 'v22.0.0' }
    const settings = { effort: 'quick', patienceSeconds: 0 } as const
    const now = report([], { machine: { ...after, versions }, settings, interrupted: 'SIGINT' })
    assert.deepEqual(differencesOf(report([]), report([])), [])
    assert.deepEqual(differencesOf(report([]), now), [
      'frequency governor: then none, now powersave',
      'memory: then memfd, now hugepages',
      `Node.js: then ${before.versions.node}, now v22.0.0`,
      'effort: then usual, now quick',
      'the new run was interrupted',
    ])
  })
})

test('a comparison says which of the runs was noisy', () => {
  const noisy = (others: number): Report['sections'] => {
    const calm = { work: [10, 10], roundTrip: 100 } as const
    const conditions = { stolen: 0, others, loadBefore: 0, calibrations: [calm, calm] as const }
    return { 'made-up': { seconds: 1, result: [], conditions } }
  }
  const quiet = report([], { sections: noisy(0) })
  assert.deepEqual(differencesOf(quiet, quiet), [])
  const [said] = differencesOf(report([], { sections: noisy(1.5) }), quiet)
  assert.equal(said, 'then noisy: other programs used 1.5 CPUs during made-up')
  assert.match(differencesOf(quiet, report([], { sections: noisy(1) }))[0] as string, /^now noisy/)
})
