import assert from 'node:assert/strict'
import { chooseCpus } from '../../bench/cpus.js'
import { chooseMemory } from '../../bench/memory.js'
import type { Exhibit, Figure, Section } from '../../bench/section.js'

const LIMIT_MS = 90_000

/** Measures a section in its shortest form; its result is as it comes out of a JSON file. */
export async function smoke<Result>(
  section: Section<Result>,
  only?: readonly string[],
): Promise<Result> {
  const kept: unknown[] = []
  let last = -1
  const result = await section.measure({
    effort: 'quick',
    smoke: true,
    only,
    cpus: chooseCpus(undefined),
    memory: chooseMemory('memfd'),
    patienceSeconds: 0,
    signal: AbortSignal.timeout(LIMIT_MS),
    progress: (what, done) => {
      assert.ok(what !== '')
      assert.ok(done >= last && done <= 1, `${what}: ${done} after ${last}`)
      last = done
    },
    say: (what) => process.stderr.write(`${what}\n`),
    keep: (part) => kept.push(JSON.parse(JSON.stringify(part))),
  })
  const plain = JSON.parse(JSON.stringify(result)) as Result
  // What is kept is enough to be shown.
  for (const part of kept) section.show(part as Result)
  checkExhibits(section.show(plain))
  checkFigures(section.figures(plain))
  return plain
}

function checkExhibits(exhibits: readonly Exhibit[]): void {
  assert.ok(exhibits.length > 0)
  for (const exhibit of exhibits) {
    if (exhibit.kind === 'note') {
      assert.ok(exhibit.text.length > 0)
      assert.doesNotMatch(exhibit.text, /NaN|undefined|Infinity/)
      continue
    }
    assert.ok(exhibit.title !== '')
    if (exhibit.kind === 'table') {
      const [head, ...rows] = exhibit.rows
      assert.ok(rows.length > 0, exhibit.title)
      for (const row of rows) assert.equal(row.length, head?.length, exhibit.title)
      assert.ok(!rows.flat().includes('NaN'), `${exhibit.title}: ${JSON.stringify(rows)}`)
    } else {
      const points = exhibit.series.flatMap((series) => series.points)
      assert.ok(points.length > 0, exhibit.title)
      for (const { x, y } of points) assert.ok(Number.isFinite(x + y), exhibit.title)
    }
  }
}

function checkFigures(figures: readonly Figure[]): void {
  assert.ok(figures.length > 0)
  assert.equal(new Set(figures.map(({ key }) => key)).size, figures.length)
  for (const { key, value, low = value, high = value } of figures) {
    assert.ok(Number.isFinite(value) && low <= value && value <= high, `${key}: ${value}`)
  }
}
