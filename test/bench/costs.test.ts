/** Parts of the sections of what a switch costs that need no switch. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compose } from '../../bench/scale/compose.js'
import { exponent, fitLine, perDoubling } from '../../bench/scale/fit.js'
import { prefixRule, randomTuples, ruleOf } from '../../bench/scale/tuples.js'
import { coprimeStep } from '../../bench/scale/walk.js'
import type { Context, Section } from '../../bench/section.js'
import { type Mark, phasesOf } from '../../bench/start/phases.js'

describe('start', () => {
  test('phases follow each other', () => {
    const marks: Mark[] = [
      { name: 'begun', thread: 0, at: 1020 },
      { name: 'load', thread: 0, at: 1030 },
      { name: 'loaded', thread: 0, at: 1035 },
      { name: 'open', thread: 0, at: 1050 },
      { name: 'opened', thread: 0, at: 1100 },
      { name: 'begun', thread: 1, at: 1110 },
      { name: 'assign', thread: 0, at: 1112 },
      { name: 'createLcore', thread: 1, at: 1120 },
      { name: 'assign', thread: 0, at: 1130 },
      // After the first frame.
      { name: 'assign', thread: 0, at: 1190 },
    ]
    assert.deepEqual(phasesOf(marks, 1000, 1125, 1140), {
      node: 20,
      imports: 30,
      eal: 50,
      ports: 30,
      firstFrame: 10,
      addon: 5,
      lcoreAt: 120,
      polledAt: 130,
    })
    assert.throws(() => phasesOf(marks.slice(0, 4), 1000, 1125, 1140), /'opened'/)
  })
})

describe('scale', () => {
  test('the parts of a section have their shares of its time', async () => {
    const seen: number[] = []
    const part = (seconds: number): Section => ({
      name: 'part',
      title: '',
      seconds: () => seconds,
      async measure({ progress, only }) {
        assert.equal(only, undefined)
        progress('half of it', 0.5)
        return seconds
      },
      show: (result) => [{ kind: 'note', text: String(result) }],
      figures: () => [{ key: 'a', value: 1, unit: 's', better: 'less' }],
    })
    const whole = compose('whole', '', { one: part(1), three: part(3), other: part(100) })
    assert.equal(whole.seconds('quick'), 104)
    assert.equal(whole.seconds('quick', { effort: 'quick', only: ['one', 'three'] }), 4)
    const result = await whole.measure({
      effort: 'quick',
      only: ['one', 'three'],
      progress: (_: string, done: number) => seen.push(done),
    } as unknown as Context)
    assert.deepEqual(seen, [0.125, 0.625])
    assert.deepEqual(result, { one: 1, three: 3 })
    assert.deepEqual(whole.show(result), [
      { kind: 'note', text: '1' },
      { kind: 'note', text: '3' },
    ])
    assert.deepEqual(
      whole.figures(result).map(({ key }) => key),
      ['one a', 'three a'],
    )
  })

  test('a part that fails leaves what it has, and the others go on', async () => {
    const part = (measure: Section['measure']): Section => ({
      ...{ name: 'part', title: '', seconds: () => 1, show: () => [], figures: () => [] },
      measure,
    })
    const lost: string[] = []
    const whole = compose('whole', '', {
      failing: part(async ({ keep }) => {
        keep?.('half')
        throw new Error('no frames')
      }),
      nothing: part(() => Promise.reject(new Error('nothing at all'))),
      other: part(async () => 'whole'),
    })
    const result = await whole.measure({
      effort: 'quick',
      signal: new AbortController().signal,
      lose: (what: string) => lost.push(what),
    } as unknown as Context)
    assert.deepEqual(result, { failing: 'half', other: 'whole' })
    assert.deepEqual(lost, ['failing: no frames', 'nothing: nothing at all'])
  })

  test('slopes', () => {
    const points = (y: (x: number) => number) => [1, 2, 4, 8, 64].map((x) => ({ x, y: y(x) }))
    const near = (value: number, wanted: number) => assert.ok(Math.abs(value - wanted) < 1e-9)
    const line = fitLine(points((x) => 3 * x + 5))
    near(line.slope, 3)
    near(line.intercept, 5)
    near(perDoubling(points((x) => 7 * Math.log2(x) + 1)), 7)
    near(exponent(points((x) => 5 * x * x)), 2)
    // Not through the points, but between them.
    near(
      fitLine([
        { x: 0, y: 0 },
        { x: 0, y: 2 },
        { x: 1, y: 1 },
        { x: 1, y: 3 },
      ]).intercept,
      1,
    )
  })

  test('a walk meets all things', () => {
    for (const count of [1, 2, 10, 4096, 9999]) {
      const step = coprimeStep(count)
      const met = new Set<number>()
      for (let i = 0, at = 0; i < count; i++) {
        at = (at + step) % count
        met.add(at)
      }
      assert.equal(met.size, count)
    }
  })

  test('rules of the words that frames have', () => {
    // 10.1.2.3 port 0x0102 to 10.4.5.6 port 53, as the octets lie in a frame.
    const octets = Uint8Array.of(10, 1, 2, 3, 10, 4, 5, 6, 1, 2, 0, 53)
    const tuple = new Uint16Array(octets.buffer)
    const rule = 'udp,nw_src=10.1.2.3,nw_dst=10.4.5.6,tp_src=258,tp_dst=53,actions=output:1'
    assert.equal(ruleOf(tuple, 0), rule)
    assert.equal(prefixRule(tuple, 0), 'priority=16,ip,nw_dst=10.4.0.0/16,actions=output:1')
    const random = new Uint8Array(randomTuples(100).buffer)
    for (let i = 0; i < random.length; i += 12) {
      assert.equal(random[i], 10)
      assert.equal(random[i + 4], 10)
    }
  })
})
