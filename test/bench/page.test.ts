/** The page and its plots: well-formed, nothing from elsewhere, and numbers where they belong. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Report } from '../../bench/json-report.js'
import { bars } from '../../bench/page/bars.js'
import { lines } from '../../bench/page/lines.js'
import { markdown } from '../../bench/page/markdown.js'
import { page } from '../../bench/page/page.js'
import { scaleFor } from '../../bench/page/scale.js'
import type { Exhibit, Plot, Section } from '../../bench/section.js'
import { pointsOf } from '../../bench/text-report.js'
import { machine, wellFormed } from './support.js'

const LINES: Plot = {
  kind: 'plot',
  title: 'Latency & load',
  x: { label: 'percent', scale: 'percentile' },
  y: { label: 'us', scale: 'log' },
  series: [
    { name: 'a <b>', points: [50, 90, 99, 99.9, 100].map((x, i) => ({ x, y: 10 ** i })) },
    { name: 'b', points: [{ x: 50, y: 3, low: 2, high: 4 }] },
  ],
}
const BARS: Plot = {
  kind: 'plot',
  title: 'Rates',
  x: { label: '', names: ['one', 'two'] },
  y: { label: 'Mpps' },
  series: [
    {
      name: 'split',
      points: [
        { x: 0, y: 10, low: 8, high: 12 },
        { x: 1, y: 20 },
      ],
    },
  ],
}
const EXHIBITS: Exhibit[] = [
  LINES,
  BARS,
  {
    kind: 'table',
    title: 'A table',
    rows: [
      ['', 'a|b'],
      ['"row"', '<1>'],
    ],
  },
  { kind: 'note', text: "a note's text" },
  { kind: 'note', text: 'a caveat', caveat: true },
]
const section: Section<Exhibit[]> = {
  name: 'made-up',
  title: 'Made up',
  seconds: () => 1,
  measure: async () => [],
  show: (exhibits) => exhibits,
  figures: () => [],
}
const REPORT: Report = {
  machine: { ...machine(), cpu: 'CPU <script>', virtual: true },
  settings: { effort: 'usual', patienceSeconds: 0 },
  interrupted: 'stopped by SIGINT',
  sections: { 'made-up': { seconds: 1, result: EXHIBITS, incomplete: 'stopped by SIGINT' } },
}

describe('the page', () => {
  const html = page(REPORT, [section])

  test('is well-formed, and what it shows is escaped', () => {
    wellFormed(html)
    assert.match(html, /CPU &lt;script&gt;/)
    assert.match(html, /a &lt;b&gt;/)
    assert.doesNotMatch(html, /<script|NaN|undefined|Infinity/)
  })

  test('needs nothing from elsewhere', () => {
    assert.doesNotMatch(html, /\b(src|href)="(?!#)/)
    assert.doesNotMatch(html, /@import|url\(|https?:/)
  })

  test('begins with the machine and the caveats', () => {
    const head = html.slice(0, html.indexOf('<main>'))
    for (const word of [
      'CPU &lt;script&gt;',
      'memfd',
      'interrupted (stopped by SIGINT)',
      'virtual',
    ]) {
      assert.ok(head.includes(word), word)
    }
  })

  test('has the numbers of every plot as a table', () => {
    assert.equal(html.match(/<details>/g)?.length, 2)
    assert.match(html, /<th scope="row">99\.9<\/th><td>1000<\/td>/)
  })

  test('is dark where that is wanted, and light on paper', () => {
    assert.match(html, /@media\(prefers-color-scheme:dark\)/)
    assert.match(html, /@media print\{:root\{color-scheme:light/)
  })
})

describe('Markdown', () => {
  test('has tables with every cell, and notes', () => {
    const text = markdown(REPORT, [section])
    assert.match(text, /\| {2}\| a\\\|b \|\n\|---\|---:\|\n\| "row" \| \\<1> \|/)
    assert.match(text, /^> a caveat$/m)
    assert.match(text, /^> stopped by SIGINT$/m)
  })
})

describe('plots', () => {
  test('bars are as long as their values', () => {
    const widths = [...bars(BARS).matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) =>
      Number(width),
    )
    assert.equal(widths.length, 2)
    assert.ok(Math.abs((widths[1] as number) / (widths[0] as number) - 2) < 0.01, `${widths}`)
  })

  test('lines go up where values do, and stay in the picture', () => {
    const [, points = ''] = lines(LINES).match(/<polyline [^>]*points="([^"]*)"/) ?? []
    const at = points.split(' ').map((point) => point.split(',').map(Number) as [number, number])
    assert.equal(at.length, 5)
    for (const [i, [x, y]] of at.entries()) {
      assert.ok(x >= 0 && x <= 360 && y >= 0 && y <= 250, points)
      if (i > 0) assert.ok(y < (at[i - 1] as [number, number])[1], points)
    }
  })

  for (const plot of [LINES, BARS]) {
    test(`${plot.title}: without points, or with what is no number`, () => {
      const empty = { ...plot, series: [{ name: 'none', points: [] }] }
      const none = { ...plot, series: [{ name: 'none', points: [{ x: 0, y: Number.NaN }] }] }
      const zero = { ...plot, series: [{ name: 'none', points: [{ x: 0, y: 0 }] }] }
      for (const odd of [empty, none, zero]) {
        const svg = plot === LINES ? lines(odd) : bars(odd)
        wellFormed(svg)
        assert.doesNotMatch(svg, /NaN|Infinity/)
      }
    })
  }

  test('as a table: a row for each place, a column for each series', () => {
    assert.deepEqual(pointsOf(BARS), [
      ['', 'split, Mpps'],
      ['one', '10 (8-12)'],
      ['two', '20'],
    ])
  })
})

describe('axes', () => {
  const texts = (...args: Parameters<typeof scaleFor>) =>
    scaleFor(...args).ticks.map(({ text }) => text)

  test('linear ones have round ticks', () => {
    assert.deepEqual(texts('linear', [3, 19], true), ['0', '5', '10', '15', '20'])
    assert.deepEqual(texts(undefined, [0.1, 0.3], true), ['0', '0.1', '0.2', '0.3'])
    assert.deepEqual(texts('linear', [40_000], true), ['0', '10k', '20k', '30k', '40k'])
  })

  test('logarithmic ones have decades, or parts of one', () => {
    assert.deepEqual(texts('log', [1, 10_000], false), ['1', '10', '100', '1000', '10k'])
    assert.deepEqual(texts('log', [64, 1500], false), ['100', '300', '1000'])
    const { at } = scaleFor('log', [1, 100], false)
    assert.ok(Math.abs((at(1) + at(100)) / 2 - at(10)) < 1e-9)
    assert.equal(at(0), 0)
  })

  test('percentiles have nines', () => {
    const { at, ticks } = scaleFor('percentile', [50, 99.9], false)
    assert.deepEqual(
      ticks.map(({ text }) => text),
      ['0', '50', '90', '99', '99.9'],
    )
    assert.ok(Math.abs(at(99) - at(90) - (at(99.9) - at(99))) < 1e-9)
    assert.equal(at(100), 1)
  })
})
