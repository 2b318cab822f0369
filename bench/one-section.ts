/** `node dist/bench/one-section.js NAME [quick|usual|full]`: one section by itself, as text. */
import { chooseCpus } from './cpus.js'
import { chooseMemory } from './memory.js'
import type { Effort, Exhibit, Section } from './section.js'
import { table } from './table.js'

const [name = '', effort = 'quick'] = process.argv.slice(2)
const module = (await import(`./${name}/section.js`)) as Record<string, Section>
const section = module[`${name}Section`] as Section
const stop = new AbortController()
process.on('SIGINT', () => stop.abort(new Error('stopped')))
const result = await section.measure({
  effort: effort as Effort,
  cpus: chooseCpus(undefined),
  memory: chooseMemory('auto'),
  patienceSeconds: 0,
  signal: stop.signal,
  progress: (what, done) => process.stderr.write(`${(100 * done).toFixed(0)} % ${what}\n`),
  say: (what) => process.stderr.write(`${what}\n`),
})
process.stdout.write(`${section.title}\n\n`)
for (const exhibit of section.show(result)) process.stdout.write(`${textOf(exhibit)}\n\n`)

function textOf(exhibit: Exhibit): string {
  if (exhibit.kind === 'table') return `${exhibit.title}\n${table(exhibit.rows)}`
  if (exhibit.kind === 'note') return `${exhibit.caveat ? '! ' : ''}${exhibit.text}`
  return `[plot: ${exhibit.title}]`
}
