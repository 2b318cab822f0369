import type { Paint, Style } from './paint.js'

/** One cell: its text, or its text and colour. */
export type Cell = string | number | readonly [text: string, style: Style | undefined]

/**
 * Rows as a table under headings, every column as wide as its widest cell; numbers to the right. The last column is not
 * padded.
 */
export function columns(
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
  paint: Paint,
): string {
  const numeric = headings.map(
    (_heading, i) => rows.length > 0 && rows.every((row) => typeof row[i] === 'number'),
  )
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...rows.map((row) => textOf(row[i]).length)),
  )
  const line = (cells: readonly Cell[], style?: Style) =>
    cells
      .map((cell, i) => {
        const text = textOf(cell)
        const width = widths[i] as number
        const own = typeof cell === 'object' ? cell[1] : style
        const painted = own === undefined ? text : paint(own, text)
        const space = ' '.repeat(width - text.length)
        if (numeric[i]) return space + painted
        return i === cells.length - 1 ? painted : painted + space
      })
      .join('  ')
      .trimEnd()
  return [line(headings, 'heading'), ...rows.map((row) => line(row))].join('\n')
}

function textOf(cell: Cell = ''): string {
  return typeof cell === 'object' ? cell[0] : String(cell)
}
