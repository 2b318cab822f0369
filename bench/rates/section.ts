import { availableOf } from '../available.js'
import { type Boundary, measureBoundary } from '../boundary.js'
import { CONTENDERS, type Contender } from '../contender.js'
import { ContextListener } from '../context-listener.js'
import { rateFigures } from '../figure.js'
import { isVirtual } from '../machine.js'
import { type Results, runBench, secondsOfTurns } from '../run.js'
import type { Context, Section } from '../section.js'
import { Turns } from '../twice.js'
import { caveats } from '../verdict.js'
import { OPTIONS, ratesOptions } from './options.js'
import { type RatesResult, ratesResult } from './result.js'
import { show } from './show.js'
import { turnsOf } from './turns.js'

/** Share of the time that is over when the boundary's turn comes. */
const BEFORE_BOUNDARY = 0.9

/** Contenders side by side, under the same load. */
export const ratesSection: Section<RatesResult> = {
  name: 'rates',
  title: 'How many frames a second, beside others',
  contenders: CONTENDERS,
  options: OPTIONS,
  atTop: true,
  seconds: (effort, asked) => {
    const options = ratesOptions(asked ?? { effort })
    const { contenders, rings, boundarySeconds, limitSeconds } = options
    const turns = secondsOfTurns(turnsOf(contenders, options), options)
    const boundaries = measuresBoundary(contenders) ? rings.length * (2 + boundarySeconds) : 0
    return Math.ceil(Math.min(limitSeconds, turns + boundaries))
  },
  check: (asked) => void availableOf(ratesOptions(asked).contenders, asked),
  measure,
  show,
  figures: ({ runs }) =>
    runs.flatMap(({ name, ring, frameBytes, rounds }) =>
      rateFigures(`${name}@${ring}@${frameBytes}`, rounds),
    ),
}

async function measure(context: Context): Promise<RatesResult> {
  const asked = ratesOptions(context)
  const leftOut: string[] = []
  const contenders = availableOf(asked.contenders, context, (what) => {
    leftOut.push(what)
    context.say(what)
  })
  const { cpus, memory, patienceSeconds, signal } = context
  const { rings } = asked
  // The boundary wants its share of the time.
  const limitSeconds = Math.min(asked.limitSeconds, BEFORE_BOUNDARY * (context.seconds ?? Infinity))
  const entries = turnsOf(contenders, asked)
  const options = { ...asked, limitSeconds, entries, cpus, memory, patienceSeconds }
  const resultOf = (results: Results, boundaries: readonly Boundary[]) =>
    ratesResult(asked, results, boundaries, [...leftOut, ...caveats(results, isVirtual())])

  const keep = (sofar: Results) => context.keep?.(resultOf(sofar, []))
  const listener = new ContextListener(context, keep, BEFORE_BOUNDARY)
  const results = await runBench(options, listener, signal)
  const boundaries: Boundary[] = []
  const attempts = new Turns(context)
  if (measuresBoundary(contenders)) {
    for (const ring of rings) {
      context.progress(`native-io and ts-io in turns, ${ring} ring`, BEFORE_BOUNDARY)
      const shared = { ...asked, ring, cpus, memory }
      const take = () => measureBoundary(shared, asked.boundarySeconds * 1000, signal)
      const boundary = await attempts.take(`boundary, ${ring} ring`, take)
      if (boundary !== undefined) boundaries.push(boundary)
    }
  }
  return resultOf(results, boundaries)
}

/** The boundary is what lies between these two. */
function measuresBoundary(contenders: readonly Contender[]): boolean {
  return ['native-io', 'ts-io'].every((name) => contenders.some((other) => other.name === name))
}
