import type { Plot } from '../section.js'
import { pointsOf } from '../text-report.js'
import { bars } from './bars.js'
import { tableOf } from './exhibit.js'
import { escaped } from './html.js'
import { lines, mark } from './lines.js'

/** A plot with its title, its legend, and what it is made of. */
export function plotOf(plot: Plot): string {
  const { title, x, series } = plot
  const drawn = x.names === undefined ? lines(plot) : bars(plot)
  const legend =
    series.length < 2
      ? ''
      : `<ul class="legend">${series.map(({ name }, i) => entry(name, i)).join('')}</ul>`
  return (
    `<figure><figcaption>${escaped(title)}</figcaption>${legend}${drawn}` +
    `<details><summary>its numbers</summary>${tableOf(pointsOf(plot))}</details></figure>`
  )
}

function entry(name: string, series: number): string {
  return `<li><svg class="key" viewBox="0 0 10 10" aria-hidden="true">${mark(series, 5, 5)}</svg>${escaped(name)}</li>`
}
