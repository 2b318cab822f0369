import { pick, pickNamed } from '../arguments.js'
import { availableOf } from '../available.js'
import { CONTENDERS } from '../contender.js'
import { ContextListener } from '../context-listener.js'
import { rateFigures } from '../figure.js'
import { isVirtual } from '../machine.js'
import { type Results, runBench, secondsOfTurns } from '../run.js'
import type { Asked, Context, Effort, Section } from '../section.js'
import { caveats } from '../verdict.js'
import { type SlicesResult, slicesResult } from './result.js'
import { show } from './show.js'
import { keyOf, lcoreCpus, type Slice, sliceEntries, slicesOf } from './slices.js'

const PRESETS = {
  smoke: { rounds: 1, seconds: 0.1 },
  quick: { rounds: 3, seconds: 0.3 },
  usual: { rounds: 1, seconds: 0.5 },
  full: { rounds: 3, seconds: 0.3 },
}

/** What takes part in a test. */
const SMOKE = ['ts-learning']

/** Names of all slices, and of all that take part in one. */
const ALL = slicesOf('full', [0, 1])
const NAMES = ALL.map(({ name }) => name)
const TAKING_PART = CONTENDERS.filter(({ name }) => ALL.some(({ able }) => able.includes(name)))

/** What the rate depends on. */
export const slicesSection: Section<SlicesResult> = {
  name: 'slices',
  title: 'What the rate depends on: frames, rings, queues, bursts',
  contenders: TAKING_PART,
  options: [{ name: 'slices', value: 'A,B', what: `these only: ${NAMES.join(', ')}` }],
  seconds,
  check: (asked) => void chosen(asked, []),
  measure,
  show,
  figures: ({ runs }) =>
    Object.entries(runs).flatMap(([key, { rounds }]) => rateFigures(key, rounds)),
}

function seconds(effort: Effort, asked?: Asked): number {
  const turns = sliceEntries(chosen(asked ?? { effort }, []), TAKING_PART)
  return Math.ceil(secondsOfTurns(turns, PRESETS[effort]))
}

/** @throws UsageError */
function chosen({ effort, only, options = {} }: Asked, lcores: readonly number[]): Slice[] {
  const names = pick('--slices', options.slices, NAMES)
  return slicesOf(effort, lcores)
    .filter(({ name }) => names.includes(name))
    .map((slice) => ({
      ...slice,
      contenders: only === undefined ? slice.contenders : named(slice.name, only),
    }))
}

/** Those asked for that can take part in the slice. */
function named(slice: string, only: readonly string[]): string[] {
  const { able = [] } = ALL.find(({ name }) => name === slice) ?? {}
  return able.filter((name) => only.includes(name))
}

async function measure(context: Context): Promise<SlicesResult> {
  const { effort, smoke, only, cpus, memory, patienceSeconds, signal } = context
  const lcores = lcoreCpus(cpus)
  const slices = chosen(smoke ? { ...context, only: only ?? SMOKE } : context, lcores).map(
    (slice) => {
      return smoke ? { ...slice, places: slice.places.slice(-1) } : slice
    },
  )
  const leftOut: string[] = []
  if (lcores.length === 1) {
    leftOut.push(
      'Several lcores were not measured: there is no CPU left besides that of the switch and that of the load.',
    )
  }
  const taking = only === undefined ? TAKING_PART : pickNamed('--only', only.join(','), TAKING_PART)
  const contenders = availableOf(taking, context, (what) => leftOut.push(what))
  const options = {
    ...PRESETS[smoke ? 'smoke' : effort],
    entries: sliceEntries(slices, contenders),
    limitSeconds: Number.POSITIVE_INFINITY,
    burst: 32,
    cpus,
    memory,
    patienceSeconds,
  }
  const resultOf = (results: Results) => {
    // What is said of a run names its place, not only its switch.
    const runs = results.runs.map((run) => ({ ...run, name: keyOf(run.name, run) }))
    return slicesResult(slices, results, leftOut, caveats({ ...results, runs }, isVirtual()))
  }
  const listener = new ContextListener(context, (sofar) => context.keep?.(resultOf(sofar)))
  return resultOf(await runBench(options, listener, signal))
}
