import { type Report, resultOf } from '../json-report.js'
import type { Section } from '../section.js'
import { machineRows } from '../text-report.js'
import { caveatsOf } from '../verdict.js'
import { exhibitsOf } from './exhibit.js'
import { escaped } from './html.js'
import { STYLE } from './style.js'

/** The report as a page that needs nothing but itself. */
export function page(report: Report, sections: readonly Section[]): string {
  const { machine } = report
  const shown = sections.flatMap((section) => {
    const result = resultOf(report, section)
    const incomplete = report.sections[section.name]?.incomplete
    if (result === undefined && incomplete === undefined) return []
    const missing = incomplete === undefined ? '' : `<p class="caveat">${escaped(incomplete)}</p>`
    const body = result === undefined ? '' : exhibitsOf(section.show(result))
    return [
      `<section id="${section.name}"><h2>${escaped(section.title)}</h2>${missing}\n${body}</section>`,
    ]
  })
  const links = sections
    .filter(({ name }) => shown.some((one) => one.startsWith(`<section id="${name}"`)))
    .map(({ name, title }) => `<a href="#${name}">${escaped(title)}</a>`)
  const title = `dpdk-vhost bench, ${machine.date.slice(0, 10)}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escaped(title)}</h1>
<dl>${machineRows(machine)
    .map(([key, value]) => `<dt>${escaped(key)}</dt><dd>${escaped(value)}</dd>`)
    .join('')}</dl>
${list(caveatsOf(report))}
<nav>${links.join('')}</nav>
</header>
<main>
${shown.join('\n')}
</main>
</body>
</html>
`
}

function list(caveats: readonly string[]): string {
  if (caveats.length === 0) return ''
  return `<ul class="caveats">${caveats.map((text) => `<li>${escaped(text)}</li>`).join('')}</ul>`
}
