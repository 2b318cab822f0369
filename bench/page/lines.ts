import type { Plot, Point } from '../section.js'
import { escaped, round } from './html.js'
import { drawable, extent } from './points.js'
import { type Scale, scaleFor } from './scale.js'

const WIDTH = 360
const HEIGHT = 250
const LEFT = 42
const RIGHT = 8
const TOP = 22
const BOTTOM = 38

/** With more points than this, marks would hide the line. */
const MARKED = 25

/** Lines over numbers. */
export function lines(plot: Plot): string {
  const { x, y, series } = drawable(plot)
  const all = series.flatMap(({ points }) => points)
  const across = scaleFor(
    x.scale,
    all.map((point) => point.x),
    false,
  )
  const up = scaleFor(y.scale, all.flatMap(extent), true)
  const place: Place = {
    x: (value) => LEFT + across.at(value) * (WIDTH - LEFT - RIGHT),
    y: (value) => HEIGHT - BOTTOM - up.at(value) * (HEIGHT - TOP - BOTTOM),
  }
  const drawn = series.map(({ points }, i) => drawSeries(points, i, place))
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-hidden="true">` +
    `${grid(across, up, place)}` +
    `<text class="tick" x="4" y="12">${escaped(y.label)}</text>` +
    `<text class="tick" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 4}" text-anchor="middle">${escaped(x.label)}</text>` +
    `${drawn.join('')}</svg>`
  )
}

interface Place {
  x(value: number): number
  y(value: number): number
}

function grid(across: Scale, up: Scale, place: Place): string {
  const [bottom, right] = [HEIGHT - BOTTOM, WIDTH - RIGHT]
  const vertical = across.ticks.map(({ value, text }) => {
    const at = round(place.x(value))
    const anchor = across.at(value) > 0.95 ? 'end' : 'middle'
    return `<line class="grid" x1="${at}" x2="${at}" y1="${TOP}" y2="${bottom}"/><text class="tick" x="${anchor === 'end' ? WIDTH - 2 : at}" y="${bottom + 14}" text-anchor="${anchor}">${text}</text>`
  })
  const horizontal = up.ticks.map(({ value, text }) => {
    const at = place.y(value)
    return `<line class="grid" x1="${LEFT}" x2="${right}" y1="${round(at)}" y2="${round(at)}"/><text class="tick" x="${LEFT - 5}" y="${round(at + 4)}" text-anchor="end">${text}</text>`
  })
  return vertical.join('') + horizontal.join('')
}

function drawSeries(points: readonly Point[], series: number, place: Place): string {
  const sorted = [...points].sort((a, b) => a.x - b.x)
  const at = sorted.map(({ x, y }) => `${round(place.x(x))},${round(place.y(y))}`)
  const spreads = sorted.flatMap(({ x, y, low = y, high = y }) => {
    const where = round(place.x(x))
    const [from, to] = [place.y(low), place.y(high)]
    if (from - to < 1) return []
    return `<line class="s${series % 8} thin" x1="${where}" x2="${where}" y1="${round(from)}" y2="${round(to)}"/>`
  })
  const marks = sorted.length > MARKED ? [] : sorted.map((point) => markOf(point, series, place))
  const line = `<polyline class="s${series % 8}${series >= 8 ? ' dashed' : ''}" points="${at.join(' ')}"/>`
  return `<g>${line}${spreads.join('')}${marks.join('')}</g>`
}

function markOf({ x, y }: Point, series: number, place: Place): string {
  return mark(series, place.x(x), place.y(y))
}

/** Series differ by their marks too, for those who see no colours. */
export function mark(series: number, x: number, y: number): string {
  const size = 3.2
  const points = [
    [-1, -1, 1, -1, 1, 1, -1, 1],
    [0, -1.3, 1.3, 1, -1.3, 1],
    [0, -1.4, 1.4, 0, 0, 1.4, -1.4, 0],
  ][(series % 4) - 1]
  if (points === undefined) {
    return `<circle class="f${series % 8}" cx="${round(x)}" cy="${round(y)}" r="${size}"/>`
  }
  const corners = points.map((value, i) => round((i % 2 === 0 ? x : y) + value * size))
  return `<polygon class="f${series % 8}" points="${corners.join(' ')}"/>`
}
