import { percent } from '../percent.js'
import type { Exhibit, Note } from '../section.js'
import { extremes, median, quantile } from '../statistics.js'
import type { Scrape, ScrapeResult, ScrapeSlice } from './result.js'

/** A switch of that many ports is to be scraped in this time; milliseconds. */
const LIMIT_MS = 20

/** Share of a slice for which the lcore's thread may have waited for its CPU. */
const MOST_WAITED = 0.02

/** With fewer turns, ranges say little. */
const ENOUGH_TURNS = 3

export function show(result: ScrapeResult): Exhibit[] {
  const { ports, guests, framesPerSecond, seconds, scrapesPerSecond, scrapes, first } = result
  const row = (name: string, of: (scrape: Scrape) => number) => {
    const values = scrapes.map(of)
    return [name, ...[0.5, 0.9, 0.95, 1].map((share) => quantile(values, share).toFixed(1))]
  }
  const scrape: Exhibit[] = [
    {
      kind: 'table',
      title: `A scrape of ${ports} ports, ${guests} with guests, ms`,
      rows: [
        ['', 'median', '90 %', '95 %', 'longest'],
        row('until the last byte', ({ took }) => took),
        row('CPU time of the thread that answers', ({ ran }) => ran),
        row('that thread waited for a CPU', ({ waited }) => waited),
      ],
    },
    {
      kind: 'note',
      text:
        `${scrapes.length} scrapes, ${scrapesPerSecond} a second, of ${(median(scrapes.map(({ bytes }) => bytes)) / 1000).toFixed(0)} kB; ` +
        `the first, which loads the code for it, took ${first.toFixed(0)} ms. Who scrapes, and all of vswitch but its lcore, share a CPU. ` +
        `${percent(scrapes.filter(({ took }) => took < LIMIT_MS).length / scrapes.length)} took less than ${LIMIT_MS} ms.`,
    },
  ]
  const turns = counting(result)
  if (turns.length === 0) return scrape
  return [
    ...scrape,
    {
      kind: 'table',
      title: `An lcore beside it at ${framesPerSecond / 1e6} Mpps, medians of ${turns.length} slices of ${seconds} s`,
      rows: [
        [
          '',
          'p50, µs',
          'p99, µs',
          'p99.9, µs',
          'lost',
          'cycles a frame',
          'idle polls a second, millions',
          'scrapes',
        ],
        sliceRow(
          'without scrapes',
          turns.map((turn) => turn.without),
        ),
        sliceRow(
          'with scrapes',
          turns.map((turn) => turn.with),
        ),
      ],
    },
    ...effects(result),
  ]
}

/**
 * Turns in which the lcore had its CPU; where there are none, all. What its slices came to has no say: the lcore shares its CPU
 * with nothing of the switch, so whoever had it is somebody else.
 */
export function counting({ turns, seconds }: ScrapeResult): ScrapeResult['turns'] {
  const most = 1000 * seconds * MOST_WAITED
  const free = turns.filter((turn) =>
    [turn.without, turn.with].every(({ switchWaitedMs }) => switchWaitedMs <= most),
  )
  return free.length > 0 ? free : turns
}

/** Of each turn: with scrapes to without. */
export function ratios(result: ScrapeResult, key: keyof ScrapeSlice): number[] {
  return counting(result).map((turn) => turn.with[key] / turn.without[key])
}

function sliceRow(name: string, slices: readonly ScrapeSlice[]): string[] {
  const middle = (of: (slice: ScrapeSlice) => number) => median(slices.map(of))
  return [
    name,
    middle(({ p50 }) => p50).toFixed(1),
    middle(({ p99 }) => p99).toFixed(1),
    middle(({ p999 }) => p999).toFixed(1),
    percent(middle(({ lossRatio }) => lossRatio)),
    middle(({ cyclesPerFrame }) => cyclesPerFrame).toFixed(0),
    (middle(({ pollsPerSecond }) => pollsPerSecond) / 1e6).toFixed(2),
    slices.reduce((sum, { scrapes }) => sum + scrapes, 0).toFixed(0),
  ]
}

/** What the turns allow to be said: with few, or where they go both ways, nothing. */
function effects(result: ScrapeResult): Note[] {
  const turns = counting(result)
  const aside = result.turns.length - turns.length
  const unjudged = median(turns.map((turn) => turn.with.unjudged))
  const told = (['p99', 'p999', 'pollsPerSecond'] as const).map((key) => {
    const all = ratios(result, key)
    const { low, high } = extremes(all)
    const name = { p99: 'p99', p999: 'p99.9', pollsPerSecond: 'idle polls a second' }[key]
    return `${name} ${median(all).toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`
  })
  const text =
    `With scrapes to without, slice by slice: ${told.join('; ')}. Frames that came while the tester had given its CPU to who scrapes and ` +
    `answers are left out, ${percent(unjudged)} (median). ${aside} of ${result.turns.length} turns are put aside, as others had the lcore's CPU for more ` +
    `than ${percent(MOST_WAITED)} of a slice.`
  const few: Note = {
    kind: 'note',
    text: 'So few turns tell nothing of chance.',
    caveat: true,
  }
  return [{ kind: 'note', text }, ...(turns.length < ENOUGH_TURNS ? [few] : [])]
}
