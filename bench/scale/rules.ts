import type { Context, Effort, Exhibit, Figure, Section, Series } from '../section.js'
import { Turns } from '../twice.js'
import { measureCase, type RuleForm, type RulesMeasured } from './case.js'
import { exponent, perDoubling } from './fit.js'

const RULES: Readonly<Record<Effort, readonly number[]>> = {
  quick: [10, 1000, 10_000],
  usual: [10, 100, 1000, 10_000, 100_000],
  full: [10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000],
}
const FORMS: readonly RuleForm[] = ['exact', 'prefix']
const MILLISECONDS: Readonly<Record<Effort, number>> = { quick: 300, usual: 600, full: 1000 }

/** Below that many rules the start of the process is all there is to compiling. */
const MANY = 1000

interface RulesRow extends RulesMeasured {
  readonly form: RuleForm
  readonly rules: number
}

export interface RulesResult {
  readonly rows: readonly RulesRow[]
}

/** What a frame costs a flow table of that many rules, and what it takes to have it. */
export const rules: Section<RulesResult> = {
  name: 'rules',
  title: 'A frame of a flow table, its start and its memory, against its rules',
  seconds: (effort) =>
    Math.round(FORMS.length * RULES[effort].length * (1.5 + (2 * MILLISECONDS[effort]) / 1000)),
  measure,
  show,
  figures,
}

async function measure(context: Context): Promise<RulesResult> {
  const { effort, smoke, cpus, signal, progress } = context
  const milliseconds = smoke ? 10 : MILLISECONDS[effort]
  const counts = smoke ? [10, 100] : RULES[effort]
  const cases = FORMS.flatMap((form) => counts.map((count) => ({ form, rules: count })))
  const attempts = new Turns(context)
  const rows: RulesRow[] = []
  for (const [i, one] of cases.entries()) {
    progress(`${one.rules} rules, ${one.form}`, i / cases.length)
    const take = () => measureCase({ kind: 'rules', ...one, milliseconds }, cpus.switch, signal)
    const measured = await attempts.take(`${one.rules} rules, ${one.form}`, take)
    if (measured !== undefined) rows.push({ ...one, ...measured })
    context.keep?.({ rows })
  }
  return { rows }
}

const NAMES: Readonly<Record<RuleForm, string>> = {
  exact: 'exact 5-tuples',
  prefix: 'prefixes of 16 to 32 bits',
}

function pointsOf(
  rows: readonly RulesRow[],
  form: RuleForm,
  value: 'nanosecondsPerFrame' | 'startMs' | 'changeMs',
  least = 0,
) {
  return rows
    .filter((row) => row.form === form && row.rules >= least)
    .map((row) => ({ x: row.rules, y: row[value] }))
}

function show({ rows }: RulesResult): Exhibit[] {
  const series = (value: Parameters<typeof pointsOf>[2]): Series[] =>
    FORMS.map((form) => ({ name: NAMES[form], points: pointsOf(rows, form, value) }))
  const x = { label: 'rules', scale: 'log' } as const
  return [
    {
      kind: 'plot',
      title: 'Flow table: a frame, against the rules',
      x,
      y: { label: 'nanoseconds a frame' },
      series: series('nanosecondsPerFrame'),
    },
    {
      kind: 'plot',
      title: 'Flow table: from the texts of the rules to the first burst',
      x,
      y: { label: 'milliseconds', scale: 'log' },
      series: series('startMs'),
    },
    {
      kind: 'table',
      title: 'Flow table: all rules have frames, met in random order',
      rows: [
        ['rules', 'number', 'ns a frame', 'start, ms', 'memory, MiB', 'a rule more and less, ms'],
        ...rows.map(({ form, rules: count, ...row }) => [
          NAMES[form],
          count.toLocaleString('en'),
          row.nanosecondsPerFrame.toFixed(1),
          row.startMs.toFixed(1),
          (row.heapBytes / 2 ** 20).toFixed(2),
          row.changeMs.toFixed(3),
        ]),
      ],
    },
    ...FORMS.map((form) => growth(rows, form)),
  ]
}

function growth(rows: readonly RulesRow[], form: RuleForm): Exhibit {
  const more = perDoubling(pointsOf(rows, form, 'nanosecondsPerFrame')).toFixed(1)
  const power = (value: 'startMs' | 'changeMs') =>
    exponent(pointsOf(rows, form, value, MANY)).toFixed(2)
  const frame = `${NAMES[form]}: a frame takes ${more} ns more each time that the rules double (least squares against log2 of their number)`
  const rest =
    rows.filter((row) => row.form === form && row.rules >= MANY).length < 2
      ? ''
      : `; from ${MANY.toLocaleString('en')} rules on, the start grows with the power ${power('startMs')} of their number ` +
        `and a change with ${power('changeMs')} (1 would be linear)`
  return { kind: 'note', text: `${frame}${rest}.` }
}

function figures({ rows }: RulesResult): Figure[] {
  return rows.flatMap(({ form, rules: count, ...row }): Figure[] => [
    {
      key: `${form} ${count} frame`,
      value: row.nanosecondsPerFrame,
      unit: 'ns/frame',
      better: 'less',
    },
    { key: `${form} ${count} start`, value: row.startMs, unit: 'ms', better: 'less' },
    { key: `${form} ${count} change`, value: row.changeMs, unit: 'ms', better: 'less' },
    { key: `${form} ${count} memory`, value: row.heapBytes / 2 ** 20, unit: 'MiB', better: 'less' },
  ])
}
