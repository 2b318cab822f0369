import assert from 'node:assert/strict'
import { chooseCpus } from '../../bench/cpus.js'
import { type Report, resultOf } from '../../bench/json-report.js'
import { chooseMemory } from '../../bench/memory.js'
import { page } from '../../bench/page/page.js'
import type { Context, Exhibit, Figure, Section } from '../../bench/section.js'
import { runSuite } from '../../bench/suite.js'
import { summarize } from '../../bench/text-report.js'
import { machine, quickOptions, wellFormed } from './support.js'

const LIMIT_MS = 120_000

/** What came of a section, as a file has it, and what is printed of it. */
export interface Looked<Result = unknown> {
  readonly result: Result
  readonly said: string
}

/** Measures a section in its shortest form, and looks at all that every section has to give. */
export async function smoke<Result>(section: Section<Result>): Promise<Looked<Result>> {
  const kept: unknown[] = []
  let last = -1
  const measure = (context: Context) =>
    section.measure({
      ...context,
      progress: (what, done) => {
        assert.ok(what !== '')
        assert.ok(done >= last && done <= 1, `${what}: ${done} after ${last}`)
        last = done
      },
      keep: (part) => {
        kept.push(JSON.parse(JSON.stringify(part)))
        context.keep?.(part)
      },
    })
  const suite = {
    options: quickOptions([section], { smoke: true }),
    cpus: chooseCpus(undefined),
    memory: chooseMemory('memfd'),
    machine: machine(),
  }
  const listener = {
    begin: () => {},
    progress: () => {},
    say: (what: string) => process.stderr.write(`${what}\n`),
    end: () => {},
  }
  const signal = AbortSignal.timeout(LIMIT_MS)
  const sections = [{ ...section, measure }]
  const options = { ...suite.options, sections }
  const made = await runSuite({ ...suite, options }, listener, signal)
  const report = JSON.parse(JSON.stringify(made)) as Report

  assert.equal(report.settings.smoke, true)
  const own = report.sections[section.name]
  assert.equal(own?.incomplete, undefined)
  assert.ok(own?.conditions)
  assert.ok(last >= 0, 'no progress was told')
  const result = resultOf(report, section) as Result
  assert.notEqual(result, undefined)
  // What is kept is enough to be shown.
  for (const part of kept) section.show(part as Result)
  const exhibits = section.show(result)
  checkExhibits(exhibits)
  checkFigures(section.figures(result))
  const html = page(report, [section])
  wellFormed(html)
  assert.doesNotMatch(html, /NaN|undefined|Infinity/)
  assert.equal(
    html.includes('<figure>'),
    exhibits.some(({ kind }) => kind === 'plot'),
  )
  const said = summarize(report, [section])
  assert.ok(said.includes(section.title))
  return { result, said }
}

function checkExhibits(exhibits: readonly Exhibit[]): void {
  assert.ok(exhibits.some(({ kind }) => kind !== 'note'))
  for (const exhibit of exhibits) {
    if (exhibit.kind === 'note') {
      assert.notEqual(exhibit.text, '')
      assert.doesNotMatch(exhibit.text, /NaN|undefined|Infinity/)
      continue
    }
    assert.notEqual(exhibit.title, '')
    if (exhibit.kind === 'table') {
      const [head, ...rows] = exhibit.rows
      assert.ok(rows.length > 0, exhibit.title)
      for (const row of rows) assert.equal(row.length, head?.length, `${exhibit.title}: ${row}`)
      assert.ok(!rows.flat().includes('NaN'), `${exhibit.title}: ${JSON.stringify(rows)}`)
      continue
    }
    const { title, series, x: axis } = exhibit
    assert.ok(
      series.some(({ points }) => points.length > 0),
      title,
    )
    for (const { name, points } of series) {
      for (const { x, y, low = y, high = y } of points) {
        assert.ok([x, y, low, high].every(Number.isFinite), `${title}: ${name}`)
        assert.ok(low <= y && y <= high, `${title}: ${name}: ${low} ${y} ${high}`)
        if (axis.names) assert.ok(axis.names[x] !== undefined, title)
      }
    }
  }
}

function checkFigures(figures: readonly Figure[]): void {
  assert.ok(figures.length > 0)
  assert.equal(new Set(figures.map(({ key }) => key)).size, figures.length, 'keys are not unique')
  for (const { key, value, low = value, high = value, unit } of figures) {
    assert.ok([value, low, high].every(Number.isFinite), key)
    assert.ok(low <= value && value <= high, `${key}: ${low} ${value} ${high}`)
    assert.notEqual(unit, '', key)
  }
}
