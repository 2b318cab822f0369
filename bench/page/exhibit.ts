import type { Exhibit, Note } from '../section.js'
import { escaped } from './html.js'
import { plotOf } from './plot.js'

/** Tables, plots side by side where there is room, and notes. */
export function exhibitsOf(exhibits: readonly Exhibit[]): string {
  const parts: string[] = []
  let plots: string[] = []
  let notes: string[] = []
  const flush = () => {
    if (plots.length > 0) parts.push(`<div class="plots">${plots.join('')}</div>`)
    if (notes.length > 0) parts.push(`<ul class="notes">${notes.join('')}</ul>`)
    plots = []
    notes = []
  }
  for (const exhibit of exhibits) {
    if (exhibit.kind !== 'plot' && plots.length > 0) flush()
    if (exhibit.kind !== 'note' && notes.length > 0) flush()
    if (exhibit.kind === 'plot') plots.push(plotOf(exhibit))
    else if (exhibit.kind === 'note') notes.push(noteOf(exhibit))
    else parts.push(`<h3>${escaped(exhibit.title)}</h3>${tableOf(exhibit.rows)}`)
  }
  flush()
  return parts.join('\n')
}

function noteOf({ text, caveat }: Note): string {
  return caveat ? `<li class="caveat">${escaped(text)}</li>` : `<li>${escaped(text)}</li>`
}

/** In a box of its own, which scrolls where the screen is narrower. */
export function tableOf([head = [], ...rows]: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[]) =>
    row.map((cell, i) =>
      i === 0 ? `<th scope="row">${escaped(cell)}</th>` : `<td>${escaped(cell)}</td>`,
    )
  const headings = head.map((cell) => `<th scope="col">${escaped(cell)}</th>`)
  return (
    `<div class="wide"><table><thead><tr>${headings.join('')}</tr></thead>` +
    `<tbody>${rows.map((row) => `<tr>${cells(row).join('')}</tr>`).join('')}</tbody></table></div>`
  )
}
