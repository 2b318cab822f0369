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
  /** A section begins. */
  begin(section: Section, index: number): void
  progress(what: string, done: number): void
  say(what: string): void
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
 * Measures the sections one after the other. One that fails is not the end of the others.
 *
 * @returns what was measured until the end, or until `signal` was aborted
 */
export async function runSuite(
  suite: Suite,
  listener: SuiteListener,
  signal: AbortSignal,
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
  const limit = whole && !smoke ? BUDGET[effort] - RESERVE : Number.POSITIVE_INFINITY
  const begun = performance.now()
  for (const [index, section] of sections.entries()) {
    if (signal.aborted) break
    const seconds = expectedSeconds(section, options)
    const left = limit - (performance.now() - begun) / 1000
    if (whole && seconds === 0) continue
    if (seconds > left) {
      const incomplete = `left out: it takes about ${seconds} s, and the time was up before; npm run bench -- ${section.name}`
      done[section.name] = { seconds: 0, incomplete }
      listener.say(`${section.name} is ${incomplete}`)
      continue
    }
    listener.begin(section, index)
    done[section.name] = await measure(section, suite, listener, signal, left)
    listener.end(report())
  }
  return report()
}

/** What a section takes in a test, about. */
const SMOKE_SECONDS = 10

export function expectedSeconds(section: Section, options: Options): number {
  return options.smoke ? SMOKE_SECONDS : section.seconds(options.effort, asked(options))
}

async function measure(
  section: Section,
  { options, cpus, memory }: Suite,
  { progress, say }: SuiteListener,
  signal: AbortSignal,
  secondsLeft: number,
): Promise<SectionReport> {
  const begun = performance.now()
  const seconds = () => (performance.now() - begun) / 1000
  const watch = await ConditionsWatch.start(cpus)
  const late = new AbortController()
  const timer =
    secondsLeft < Number.POSITIVE_INFINITY &&
    setTimeout(() => late.abort(new Error('stopped: the time was up')), secondsLeft * 1000)
  let kept: unknown
  const context: Context = {
    ...asked(options),
    cpus,
    memory,
    patienceSeconds: options.patienceSeconds,
    signal: AbortSignal.any([signal, late.signal]),
    progress,
    say,
    // Sections go on filling what they have handed over.
    keep: (result) => {
      kept = structuredClone(result)
    },
  }
  try {
    const result = await section.measure(context)
    return { seconds: seconds(), result, conditions: await watch.end() }
  } catch (error) {
    const stopped = context.signal.aborted
    if (!stopped) say(`${section.name} failed: ${(error as Error).stack}`)
    const { message } = stopped ? (context.signal.reason as Error) : (error as Error)
    const incomplete = stopped ? message : `failed: ${message}`
    return { seconds: seconds(), ...(kept !== undefined && { result: kept }), incomplete }
  } finally {
    if (timer) clearTimeout(timer)
  }
}

/** What the command line says to every section. */
export function asked({ effort, smoke, only, own }: Options) {
  return { effort, smoke, only, options: own }
}
