import { cpuPair, number, one, type Parsed, parseFlags, UsageError } from './arguments.js'
import { checkWritable, type Report, readReport } from './json-report.js'
import type { Effort, Section } from './section.js'
import { SECTIONS, takesPart } from './sections.js'

/** What runs when only contenders, or options of its own, are named. */
const USUAL_SECTION = 'rates'

export interface Options {
  /** What is measured, in order. */
  readonly sections: readonly Section[]
  /** Whether nothing was chosen: the time that the effort promises is kept. */
  readonly whole: boolean
  readonly effort: Effort
  readonly smoke: boolean
  /** Contenders asked for by name. */
  readonly only: readonly string[] | undefined
  /** Values of options that belong to sections. */
  readonly own: Readonly<Record<string, string>>
  readonly patienceSeconds: number
  readonly memory: 'auto' | 'hugepages' | 'memfd'
  readonly cpus: readonly [number, number] | undefined
  readonly json: string | undefined
  readonly html: string | undefined
  /** An old report to compare with. */
  readonly compare: Report | undefined
  /** A report to show instead of measuring. */
  readonly from: Report | undefined
}

/** Options for all sections that take a value. */
export const COMMON_VALUES = [
  'only',
  'patience',
  'memory',
  'cpus',
  'json',
  'html',
  'compare',
  'from',
] as const

export const COMMON_FLAGS = ['quick', 'full', 'smoke', 'help'] as const

/**
 * Reads the command line.
 *
 * @returns sections to explain, when `--help` is among the words
 * @throws UsageError naming option, value and fix
 */
export async function parseOptions(
  args: readonly string[],
): Promise<Options | { readonly help: readonly Section[] }> {
  const all = await Promise.all(SECTIONS.map(({ load }) => load()))
  const ownNames = new Set(all.flatMap(({ options = [] }) => options.map(({ name }) => name)))
  const parsed = parseFlags(args, [...COMMON_VALUES, ...ownNames], COMMON_FLAGS)
  const { values, flags } = parsed
  const own = Object.fromEntries(Object.entries(values).filter(([name]) => ownNames.has(name)))
  const { sections: chosen, only } = choose(parsed, all, Object.keys(own))
  if (flags.has('help')) return { help: chosen }
  const effort = effortOf(flags)
  const whole = chosen.length === all.length
  const parts = SECTIONS.filter((entry) => takesPart(entry, effort)).map(({ name }) => name)
  // An old report is shown whole, and a test is of all.
  const isPart = whole && values.from === undefined && !flags.has('smoke')
  const sections = isPart ? chosen.filter(({ name }) => parts.includes(name)) : chosen
  checkFiles(parsed)
  return {
    sections,
    whole,
    effort,
    smoke: flags.has('smoke'),
    only,
    own,
    patienceSeconds: number('--patience', values.patience, 0, 0, 3600),
    memory: one('--memory', values.memory ?? 'auto', ['auto', 'hugepages', 'memfd']),
    cpus: cpuPair(values.cpus),
    json: values.json,
    html: values.html,
    compare: read('compare', values.compare),
    from: read('from', values.from),
  }
}

function read(option: string, file: string | undefined): Report | undefined {
  return file === undefined ? undefined : readReport(`--${option}`, file)
}

/** Which sections, and which contenders in them. */
function choose(
  { words, values, flags }: Parsed,
  all: readonly Section[],
  own: readonly string[],
): Pick<Options, 'sections' | 'only'> {
  const named = all.map(({ name }) => name)
  const wanted = new Set(words.map((word) => one('section', word, named)))
  const contenders: string[] = []
  for (const word of values.only?.split(',').map((name) => name.trim()) ?? []) {
    if (named.includes(word)) wanted.add(word)
    else contenders.push(word)
  }
  const alone = wanted.size === 0
  if (alone && (contenders.length > 0 || own.length > 0) && !flags.has('help')) {
    wanted.add(USUAL_SECTION)
  }
  const sections = all.filter(({ name }) => wanted.size === 0 || wanted.has(name))
  const known = sections.flatMap((section) => section.contenders?.map(({ name }) => name) ?? [])
  const names = [...known, ...(alone ? named : [])]
  for (const contender of contenders) one('--only', contender, names)
  for (const option of own) {
    if (sections.some((section) => section.options?.some(({ name }) => name === option))) continue
    const having = all.filter((section) => section.options?.some(({ name }) => name === option))
    throw new UsageError(
      `--${option}: '${values[option]}' is for ${having.map(({ name }) => name).join(', ')}, ` +
        `and not for ${sections.map(({ name }) => name).join(', ')}; leave it out, or name that section`,
    )
  }
  if (contenders.length === 0) return { sections, only: undefined }
  const having = sections.filter(({ contenders: its = [] }) =>
    its.some(({ name }) => contenders.includes(name)),
  )
  const without = sections.filter((section) => !having.includes(section))
  if (without.length > 0) {
    throw new UsageError(
      `--only: '${contenders.join(',')}' are no contenders of ${without.map(({ name }) => name).join(', ')}; ` +
        `leave out that section, or name contenders of it`,
    )
  }
  return { sections, only: contenders }
}

function effortOf(flags: ReadonlySet<string>): Effort {
  if (flags.has('quick') && flags.has('full')) {
    throw new UsageError('--quick and --full exclude each other; leave one out')
  }
  return flags.has('quick') || flags.has('smoke') ? 'quick' : flags.has('full') ? 'full' : 'usual'
}

function checkFiles({ values, flags }: Parsed): void {
  for (const name of ['json', 'html'] as const) {
    const file = values[name]
    if (file !== undefined) checkWritable(`--${name}`, file)
  }
  if (values.json !== undefined && values.json === values.html) {
    throw new UsageError(`--html: '${values.html}' is the file of --json too; give another path`)
  }
  if (values.from === undefined) return
  const measuring = ['patience', 'memory', 'cpus', 'json'].filter((name) => name in values)
  const given = [...measuring, ...[...flags].filter((flag) => flag !== 'help')]
  if (given.length > 0) {
    throw new UsageError(
      `--from: '${values.from}' is shown without measuring; leave out --${given[0]}`,
    )
  }
}
