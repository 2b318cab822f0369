import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Report, readReport } from '../json-report.js'
import type { RatesResult } from '../rates/result.js'
import { SECTIONS } from '../sections.js'
import { markdown } from './markdown.js'
import { page } from './page.js'
import { readmeTables } from './readme-tables.js'

const FOLDER = 'docs/benchmarks'

/** The block that is written anew, and its marks. */
const BLOCK = /(<!-- bench: begin.*?-->\n)[\s\S]*?(<!-- bench: end -->)/

/**
 * Everything that is made of the results in `docs/benchmarks`: a page and a Markdown page for each, the list of them,
 * and the tables of README.md from the newest.
 *
 * @param root - folder of the project
 * @returns what each file should have, by its path from there
 */
export async function derivedFiles(root: string): Promise<Map<string, string>> {
  const sections = await Promise.all(SECTIONS.map(({ load }) => load()))
  const results = resultsIn(root)
  const files = new Map<string, string>()
  for (const { name, report } of results) {
    files.set(`${FOLDER}/${name}.html`, page(report, sections))
    files.set(`${FOLDER}/${name}.md`, markdown(report, sections))
  }
  const read = (file: string) => readFileSync(join(root, file), 'utf8')
  const list = results.map(
    ({ name, report }) =>
      `- ${name}: [Markdown](${name}.md), [page with plots](${name}.html), [JSON](${name}.json). ${describe(report)}`,
  )
  files.set(`${FOLDER}/README.md`, withBlock(read(`${FOLDER}/README.md`), list.join('\n')))
  const [newest] = results
  if (newest !== undefined && 'runs' in newest.report) {
    const tables = readmeTables(
      newest.report as Report & RatesResult,
      `${FOLDER}/${newest.name}.md`,
    )
    files.set('README.md', withBlock(read('README.md'), tables))
  }
  return files
}

/** Pages whose results are gone. */
export function orphans(root: string): string[] {
  const names = resultsIn(root).map(({ name }) => name)
  return readdirSync(join(root, FOLDER))
    .filter((file) => /\.(md|html)$/.test(file) && file !== 'README.md')
    .filter((file) => !names.includes(file.replace(/\.\w+$/, '')))
    .map((file) => `${FOLDER}/${file}`)
}

/** The newest first. */
function resultsIn(root: string): { name: string; report: Report }[] {
  return readdirSync(join(root, FOLDER))
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({
      name: file.slice(0, -'.json'.length),
      report: readReport(FOLDER, join(root, FOLDER, file)),
    }))
    .sort((a, b) => b.report.machine.date.localeCompare(a.report.machine.date))
}

function describe({ machine, settings }: Report): string {
  const effort = { quick: 'a quick run', usual: 'a usual run', full: 'a full run' }[settings.effort]
  return `${machine.cpu}, Linux ${machine.kernel}, ${machine.versions.dpdk}: ${effort}.`
}

/** @throws Error when the marks are not there */
function withBlock(text: string, block: string): string {
  if (!BLOCK.test(text)) throw new Error('the marks <!-- bench: begin --> and end are missing')
  return text.replace(BLOCK, (_, begin: string, end: string) => `${begin}${block}\n${end}`)
}
