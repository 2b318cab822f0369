import type { Plot, Point } from '../section.js'
import { short } from '../text-report.js'
import { escaped, round } from './html.js'
import { drawable, extent } from './points.js'
import { scaleFor } from './scale.js'

const WIDTH = 360
/** Room for the values, in a column. */
const RIGHT = 46
const LEFT = 4
const LABEL = 17
const BAR = 11
const BETWEEN = 9
const BOTTOM = 34

/** Bars over names: lying, since names are long and phones are narrow. On a logarithmic axis, which has no zero, dots. */
export function bars(plot: Plot): string {
  const { x, y, series } = drawable(plot)
  const names = x.names ?? []
  const all = series.flatMap(({ points }) => points)
  const scale = scaleFor(y.scale, all.flatMap(extent), true)
  const at = (value: number) => LEFT + scale.at(value) * (WIDTH - LEFT - RIGHT)
  const parts: string[] = []
  let top = 0
  for (const [place, name] of names.entries()) {
    const here = series.flatMap((one, i) => {
      const point = one.points.find((other) => other.x === place)
      return point === undefined ? [] : [{ i, point, name: one.name }]
    })
    if (here.length === 0) continue
    parts.push(
      `<text class="name" x="${LEFT}" y="${round(top + LABEL - 5)}">${escaped(name)}</text>`,
    )
    top += LABEL
    for (const { i, point, name: whose } of here) {
      const said = `${name}, ${whose}: ${short(point.y)}`
      parts.push(bar(point, i, top, at, y.scale === undefined || y.scale === 'linear', said))
      top += BAR
    }
    top += BETWEEN
  }
  const lines = scale.ticks.map(({ value, text }) => {
    const where = round(at(value))
    return `<line class="grid" x1="${where}" x2="${where}" y1="0" y2="${round(top)}"/><text class="tick" x="${where}" y="${round(top + 13)}" text-anchor="${scale.at(value) === 0 ? 'start' : 'middle'}">${text}</text>`
  })
  const unit = `<text class="tick" x="${WIDTH}" y="${round(top + 27)}" text-anchor="end">${escaped(y.label)}</text>`
  return `<svg viewBox="0 0 ${WIDTH} ${round(top + BOTTOM)}" role="img" aria-hidden="true">${lines.join('')}${parts.join('')}${unit}</svg>`
}

function bar(
  point: Point,
  series: number,
  top: number,
  at: (value: number) => number,
  filled: boolean,
  said: string,
): string {
  const middle = round(top + BAR / 2)
  const [low, high] = [at(point.low ?? point.y), at(point.high ?? point.y)]
  const end = at(point.y)
  const mark = filled
    ? `<rect class="f${series % 8}" x="${LEFT}" y="${round(top + 1)}" width="${round(Math.max(0.5, end - LEFT))}" height="${BAR - 2}"/>`
    : `<circle class="f${series % 8}" cx="${round(end)}" cy="${middle}" r="3.5"/>`
  const spread =
    high - low < 1
      ? ''
      : `<line class="spread" x1="${round(low)}" x2="${round(high)}" y1="${middle}" y2="${middle}"/>`
  const text = `<text class="value" x="${WIDTH}" y="${round(top + BAR - 2)}" text-anchor="end">${short(point.y)}</text>`
  return `<g><title>${escaped(said)}</title>${mark}${spread}${text}</g>`
}
