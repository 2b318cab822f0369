import { BUDGET, RESERVE } from './budget.js'
import { ConditionsWatch } from './conditions.js'
import { type Report, type SectionReport, toJson } from './json-report.js'
import type { Machine } from './machine.js'
import type { Memory } from './memory.js'
import type { Options } from './options.js'
import type { Context, Section } from './section.js'
import type { Cpus } from './setup.js'

/** Hears of what goes on. */
export interface SuiteListener {
  /** A section begins, and has so many seconds. */
  begin(section: Section, index: number, slot: number): void
  progress(what: string, done: number): void
  say(what: string): void
  /** A section handed over what it has by now. */
  kept?(report: () => Report): void
  /** A section ended; this is what there is by now. */
  end(report: Report): void
}

export interface Suite {
  readonly options: Options
  readonly cpus: Cpus
  readonly memory: Memory
  readonly machine: Machine
}

/**
 * Measures the sections one after the other. One that fails is not the end of the others. In the whole bench each has
 * a part of the time, by what it is expected to take.
 *
 * @returns what was measured until the end, or until `signal` was aborted
 */
export async function runSuite(
  suite: Suite,
  listener: SuiteListener,
  signal: AbortSignal,
  budget = BUDGET,
): Promise<Report> {
  const { options, machine } = suite
  const { sections, effort, smoke, whole, patienceSeconds } = options
  const done: Record<string, SectionReport> = {}
  const report = () =>
    toJson(
      {
        machine,
        settings: { effort, ...(smoke && { smoke }), patienceSeconds },
        ...(signal.aborted && { interrupted: (signal.reason as Error).message }),
        sections: done,
      },
      sections,
    )
  const limit = whole && !smoke ? budget[effort] - RESERVE : Number.POSITIVE_INFINITY
  const begun = performance.now()
  const taking = planOf(options)
  for (const [index, { section, seconds }] of taking.entries()) {
    if (signal.aborted) break
    const left = limit - (performance.now() - begun) / 1000
    const wanted = taking.slice(index).reduce((sum, other) => sum + other.seconds, 0)
    // To each its part of what is left, so that the last are not the ones who pay for a slow machine.
    const slot = limit === Number.POSITIVE_INFINITY ? limit : (left * seconds) / wanted
    listener.begin(section, index, slot)
    const kept = (sofar: SectionReport) => {
      done[section.name] = sofar
      listener.kept?.(report)
    }
    done[section.name] = await measure(section, suite, listener, signal, slot, kept)
    listener.end(report())
  }
  return report()
}

/** What a section takes in a test, about. */
const SMOKE_SECONDS = 10

/** What is measured, and the seconds that it is expected to take. */
export function planOf(options: Options): { section: Section; seconds: number }[] {
  const { sections, effort, smoke } = options
  return sections.map((section) => {
    const seconds = smoke ? SMOKE_SECONDS : section.seconds(effort, asked(options))
    return { section, seconds }
  })
}

async function measure(
  section: Section,
  { options, cpus, memory }: Suite,
  { progress, say }: SuiteListener,
  signal: AbortSignal,
  slot: number,
  hand: (sofar: SectionReport) => void,
): Promise<SectionReport> {
  const begun = performance.now()
  const seconds = () => (performance.now() - begun) / 1000
  const late = new AbortController()
  const timer =
    slot < Number.POSITIVE_INFINITY &&
    setTimeout(() => late.abort(new Error(timeWasUp(section, slot))), slot * 1000)
  let kept: unknown
  const lost: string[] = []
  const missing = () => (lost.length > 0 ? `failed: ${lost.join('; ')}` : undefined)
  const context: Context = {
    ...asked(options),
    cpus,
    memory,
    patienceSeconds: options.patienceSeconds,
    signal: AbortSignal.any([signal, late.signal]),
    seconds: slot < Number.POSITIVE_INFINITY ? slot : undefined,
    progress,
    say,
    // Sections go on filling what they have handed over.
    keep: (result) => {
      kept = structuredClone(result)
      hand({ seconds: seconds(), result: kept, incomplete: 'it never came to its end' })
    },
    lose: (what) => {
      say(`left out from now on: ${what}`)
      lost.push(firstOf(what))
    },
  }
  try {
    const watch = await ConditionsWatch.start(cpus)
    const result = await section.measure(context)
    const incomplete = missing()
    const conditions = await watch.end()
    return { seconds: seconds(), result, conditions, ...(incomplete && { incomplete }) }
  } catch (error) {
    const stopped = context.signal.aborted
    if (!stopped) say(`${section.name} failed: ${(error as Error).stack}`)
    const { message } = (stopped ? context.signal.reason : error) as Error
    if (!stopped) lost.push(firstOf(message))
    const incomplete = stopped ? [message, ...lost].join('; ') : (missing() as string)
    return { seconds: seconds(), ...(kept !== undefined && { result: kept }), incomplete }
  } finally {
    if (timer) clearTimeout(timer)
  }
}

/** What a process said last is on the screen. */
function firstOf(message: string): string {
  return message.split('; it said last:')[0] ?? message
}

function timeWasUp({ name }: Section, slot: number): string {
  return `stopped: its ${slot.toFixed(0)} s were up; npm run bench -- ${name} takes the time it needs`
}

/** What the command line says to every section. */
export function asked({ effort, smoke, only, own }: Options) {
  return { effort, smoke, only, options: own }
}
