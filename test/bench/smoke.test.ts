/** Every section of the bench works, in its shortest form. Never how fast anything is. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { BUDGET, RESERVE } from '../../bench/budget.js'
import { type Report, resultOf } from '../../bench/json-report.js'
import type { Exhibit, Section } from '../../bench/section.js'
import { SECTIONS, takesPart } from '../../bench/sections.js'
import { socketFolder } from '../support/loopback.js'
import { startBench, wellFormed } from './support.js'

const skip = availableParallelism() < 2 && 'the bench needs two CPUs'
const LIMIT_MS = 120_000

describe('npm run bench -- SECTION --smoke', { skip }, () => {
  for (const { name, load } of SECTIONS) {
    test(name, { timeout: LIMIT_MS + 10_000 }, async () => {
      using output = socketFolder()
      const [json, html] = [join(output.path, 'out.json'), join(output.path, 'out.html')]
      const args = [name, '--smoke', '--memory', 'memfd', '--json', json, '--html', html]
      const { code, stdout, stderr } = await startBench(args, { limitMs: LIMIT_MS }).ended
      assert.equal(code, 0, `${stdout}\n${stderr}`)

      const section = await load()
      assert.equal(section.name, name)
      const report = JSON.parse(readFileSync(json, 'utf8')) as Report
      assert.equal(report.settings.smoke, true)
      assert.equal(report.sections[name]?.incomplete, undefined)
      assert.ok(report.sections[name]?.conditions)
      const result = resultOf(report, section)
      assert.notEqual(result, undefined)
      const exhibits = section.show(result)
      checkExhibits(exhibits)
      assert.ok(exhibits.some(({ kind }) => kind !== 'note'))
      checkFigures(section, result)
      assert.ok(stdout.includes(section.title))
      const page = readFileSync(html, 'utf8')
      wellFormed(page)
      assert.doesNotMatch(page, /NaN|undefined|Infinity/)
      for (const exhibit of exhibits) {
        if (exhibit.kind === 'plot') assert.ok(page.includes('<figure>'), exhibit.title)
      }
    })
  }
})

describe('the time of all sections', () => {
  for (const effort of ['quick', 'usual'] as const) {
    test(`${effort}: fits`, async () => {
      const taking = SECTIONS.filter((entry) => takesPart(entry, effort))
      const sections = await Promise.all(taking.map(({ load }) => load()))
      const seconds = sections.map((section) => [section.name, section.seconds(effort)] as const)
      const sum = seconds.reduce((all, [, one]) => all + one, 0)
      assert.ok(sum <= BUDGET[effort] - RESERVE, `${sum} s: ${JSON.stringify(seconds)}`)
    })
  }
})

function checkExhibits(exhibits: readonly Exhibit[]): void {
  for (const exhibit of exhibits) {
    if (exhibit.kind === 'note') assert.notEqual(exhibit.text, '')
    if (exhibit.kind === 'table') {
      const [head, ...rows] = exhibit.rows
      assert.ok(rows.length > 0, exhibit.title)
      for (const row of rows) assert.equal(row.length, head?.length, `${exhibit.title}: ${row}`)
    }
    if (exhibit.kind === 'plot') {
      assert.ok(exhibit.series.length > 0, exhibit.title)
      for (const { name, points } of exhibit.series) {
        for (const { x, y, low = y, high = y } of points) {
          assert.ok([x, y, low, high].every(Number.isFinite), `${exhibit.title}: ${name}`)
          assert.ok(low <= y && y <= high, `${exhibit.title}: ${name}: ${low} ${y} ${high}`)
          if (exhibit.x.names) assert.ok(exhibit.x.names[x] !== undefined, exhibit.title)
        }
      }
    }
  }
}

function checkFigures(section: Section, result: unknown): void {
  const figures = section.figures(result)
  assert.ok(figures.length > 0)
  assert.equal(new Set(figures.map(({ key }) => key)).size, figures.length, 'keys are not unique')
  for (const { key, value, low = value, high = value, unit } of figures) {
    assert.ok([value, low, high].every(Number.isFinite), key)
    assert.ok(low <= value && value <= high, `${key}: ${low} ${value} ${high}`)
    assert.notEqual(unit, '', key)
  }
}
