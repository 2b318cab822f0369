import { type Report, resultOf } from '../json-report.js'
import type { Exhibit, Section } from '../section.js'
import { inWords, machineRows, pointsOf } from '../text-report.js'
import { caveatsOf } from '../verdict.js'

/** The report as Markdown, with plots as tables. */
export function markdown(report: Report, sections: readonly Section[]): string {
  const parts = [
    `# Bench, ${report.machine.date.slice(0, 10)}`,
    tableOf([['', ''], ...machineRows(report.machine).map(([key, value]) => [key, value])]),
    listOf(caveatsOf(report)),
  ]
  for (const section of sections) {
    const result = resultOf(report, section)
    const incomplete = report.sections[section.name]?.incomplete
    if (result === undefined && incomplete === undefined) continue
    parts.push(`## ${section.title}`)
    if (incomplete !== undefined) parts.push(`> ${plain(incomplete)}`)
    if (result !== undefined) parts.push(...inWords(section.show(result)).map(exhibitOf))
  }
  return `${parts.filter(Boolean).join('\n\n')}\n`
}

function exhibitOf(exhibit: Exhibit): string {
  if (exhibit.kind === 'note')
    return exhibit.caveat ? `> ${plain(exhibit.text)}` : plain(exhibit.text)
  const rows = exhibit.kind === 'table' ? exhibit.rows : pointsOf(exhibit)
  return `### ${plain(exhibit.title)}\n\n${tableOf(rows)}`
}

/** Rows of a table; the first are its headings. */
export function tableOf([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]) =>
    `| ${row.map((cell) => plain(cell).replaceAll('|', '\\|')).join(' | ')} |`
  const rule = `|${head.map((_, i) => (i === 0 ? '---' : '---:')).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

function listOf(items: readonly string[]): string {
  return items.map((item) => `- ${plain(item)}`).join('\n')
}

/** Text that Markdown leaves as it is. */
function plain(text: string): string {
  return text.replaceAll('\n', ' ').replace(/[<*]/g, '\\$&')
}
