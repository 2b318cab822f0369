import { describeStops } from '../calibration/stops.js'
import { figureOf } from '../figure.js'
import { percent } from '../percent.js'
import type { Exhibit, Figure, Note } from '../section.js'
import { extremes, median } from '../statistics.js'
import { SHORT_MS, type ShortSlices, shareWithStop } from '../tester/short-slices.js'
import { type Rfc2544Result, type Rfc2544Run, SLICED } from './result.js'

/** What the others are compared with. */
const REFERENCE = 'testpmd-io'

/** When that share of the slices, or more, meets a stop of the switch's CPU, their median does not say what one without is. */
const TOO_MANY = 0.45

const HEAD = [
  'switch',
  'p99',
  'lowest',
  'highest',
  `to ${REFERENCE}`,
  'slices',
  'tester away',
  'switch waited',
]

/** The 99th percentile at half load, slice by slice: what can be compared where the host stops CPUs. */
export function showShort({ runs, stops }: Rfc2544Result): Exhibit[] {
  const measured = runs.filter((run) => valuesOf(run).length > 0)
  if (measured.length === 0) return []
  const reference = measured.find(({ name }) => name === REFERENCE)
  return [
    {
      kind: 'table',
      title: `p99 in µs of slices of ${SHORT_MS} ms at ${SLICED.replace('%', ' %')} of the rate without loss, their median`,
      rows: [HEAD, ...measured.map((run) => cells(run, reference))],
    },
    note(
      `Slices in which the tester was away (gaps of its time stamp counter) or the switch's thread waited for its CPU (the kernel's ` +
        `count) do not count, whatever they came to; ratios are paired round by round.`,
    ),
    ...(stops === undefined ? [] : verdict(stops)),
  ]
}

export function shortFigures(key: string, run: Rfc2544Run): Figure[] {
  const values = valuesOf(run)
  if (values.length === 0) return []
  return [figureOf(`${key} p99 of slices at ${SLICED}`, values, 'µs', 'less')]
}

/** How many times as late as the other's, round by round. */
export function shortRatios(run: Rfc2544Run, reference: Rfc2544Run): number[] {
  return run.rounds.flatMap((turn, round) => {
    const [its, other] = [shortOf(turn), shortOf(reference.rounds[round])]
    return its === undefined || other === undefined ? [] : [its.p99 / other.p99]
  })
}

function shortOf(turn: Rfc2544Run['rounds'][number] | undefined): ShortSlices | undefined {
  const short = turn?.latency[SLICED]?.short
  return short === undefined || short.slices === 0 ? undefined : short
}

function valuesOf({ rounds }: Rfc2544Run): number[] {
  return rounds.flatMap((turn) => shortOf(turn)?.p99 ?? [])
}

function cells(run: Rfc2544Run, reference: Rfc2544Run | undefined): string[] {
  const values = valuesOf(run)
  const { low, high } = extremes(values)
  const all = run.rounds.flatMap((turn) => turn.latency[SLICED]?.short ?? [])
  const sum = (key: 'slices' | 'testerAway' | 'switchWaited') =>
    String(all.reduce((total, one) => total + one[key], 0))
  return [
    run.name,
    ...[median(values), low, high].map((us) => us.toFixed(1)),
    reference === undefined || run === reference ? '' : ratioCell(shortRatios(run, reference)),
    ...[sum('slices'), sum('testerAway'), sum('switchWaited')],
  ]
}

function ratioCell(ratios: readonly number[]): string {
  if (ratios.length === 0) return ''
  const { low, high } = extremes(ratios)
  return `${median(ratios).toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})`
}

function verdict(stops: NonNullable<Rfc2544Result['stops']>): Note[] {
  const share = shareWithStop(stops.perSecond)
  const text =
    `${describeStops(stops)} About ${percent(share)} of the slices meet one, whoever switches: that cannot be seen from outside, and ` +
    'they count.'
  if (share < TOO_MANY) return [note(`${text} Their median is that of a slice without.`)]
  return [
    note(text),
    {
      ...note('So many that the median over slices is of the host as well as of the switch.'),
      caveat: true,
    },
  ]
}

function note(text: string): Note {
  return { kind: 'note', text }
}
