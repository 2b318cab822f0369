import { describeStops } from '../calibration/stops.js'
import type { Stops } from '../calibration/worker.js'
import { percent } from '../percent.js'
import type { Note } from '../section.js'
import { extremes, median } from '../statistics.js'
import type { GcResult, GcRound } from './result.js'

/** Share of the frames that are beyond p99.9. */
const BEYOND = 0.001

/** With fewer rounds, ranges that do not touch say little. */
const ENOUGH_ROUNDS = 3

/** What the figures allow to be said of p99.9, and what they do not. */
export function verdict({ stops, runs }: GcResult): Note[] {
  const quiet = runs.find(({ name }) => name === 'quiet')?.rounds ?? []
  const busy = runs.filter(({ name }) => name !== 'quiet')
  const open = busy.filter(({ rounds }) => effect(quiet, rounds) === undefined)
  return [
    note(describeStops(stops)),
    ...busy.flatMap(({ name, rounds }) => {
      const sign = effect(quiet, rounds)
      if (sign === undefined) return []
      const word = sign > 0 ? 'later' : 'earlier'
      return note(`${name}: p99.9 is ${differenceOf(quiet, rounds)} µs, ${word} in every round.`)
    }),
    ...(open.length === 0
      ? []
      : [
          cannotTell(
            open.map(({ name }) => name),
            quiet,
            stops,
          ),
        ]),
    ...(busy.length === 0 ? [] : [note(collecting(busy.flatMap(({ rounds }) => rounds)))]),
  ]
}

/** p99.9 of each round less that of the quiet turn of the same round: the median, and the extremes. */
export function differenceOf(quiet: readonly GcRound[], rounds: readonly GcRound[]): string {
  const all = rounds.flatMap(({ p999 }, i) => {
    const base = quiet[i]
    return base === undefined ? [] : [p999 - base.p999]
  })
  if (all.length === 0) return ''
  const { low, high } = extremes(all)
  return `${signed(median(all))} (${signed(low)} to ${signed(high)})`
}

/** 1: later than quiet beyond doubt; -1: earlier; `undefined`: the rounds of both overlap, or are too few. */
function effect(quiet: readonly GcRound[], rounds: readonly GcRound[]): 1 | -1 | undefined {
  if (Math.min(quiet.length, rounds.length) < ENOUGH_ROUNDS) return undefined
  const [without, with_] = [quiet, rounds].map((all) => extremes(all.map(({ p999 }) => p999)))
  if (without === undefined || with_ === undefined) return undefined
  if (with_.low > without.high) return 1
  return with_.high < without.low ? -1 : undefined
}

function cannotTell(names: readonly string[], quiet: readonly GcRound[], { share }: Stops): Note {
  const { low, high } = extremes(quiet.map(({ p999 }) => p999))
  const rounds =
    quiet.length < ENOUGH_ROUNDS
      ? `${quiet.length === 1 ? 'one round tells' : `${quiet.length} rounds tell`} nothing of chance`
      : `their rounds and the quiet ones, ${low.toFixed(0)} to ${high.toFixed(0)} µs, overlap`
  const stopped =
    share > BEYOND
      ? `, and the CPU is stopped for more of the time than the ${percent(BEYOND)} of frames that are beyond p99.9: they are those that fell due meanwhile`
      : ''
  const text = `What ${listOf(names)} do to p99.9 cannot be decided on this machine: ${rounds}${stopped}.`
  return { kind: 'note', text, caveat: true }
}

/** What collections can do at most does not depend on noise. */
function collecting(rounds: readonly GcRound[]): string {
  const share = median(rounds.map(({ lcore }) => lcore.share))
  const longest = Math.max(...rounds.map(({ lcore }) => lcore.longestMs))
  if (rounds.every(({ lcore }) => lcore.count === 0)) {
    return "The lcore's isolate collected no garbage at all, so no frame was late for that. Collections of the main thread do not stop the lcore."
  }
  const most = Math.max(...rounds.map(({ lcore }) => lcore.share))
  const what =
    most < BEYOND
      ? `less than the ${percent(BEYOND)} of frames that are beyond p99.9, so garbage collection does not set it`
      : `in some turns more than the ${percent(BEYOND)} of frames that are beyond p99.9, which is then a frame that waited for it`
  return (
    `The lcore's isolate collected garbage for ${percent(share)} of the time (median; at most ${percent(most)}), at the longest ${longest.toFixed(2)} ms: ` +
    `${what}. Collections of the main thread do not stop the lcore.`
  )
}

function listOf(names: readonly string[]): string {
  return names.length === 1
    ? String(names[0])
    : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`
}

function note(text: string): Note {
  return { kind: 'note', text }
}
