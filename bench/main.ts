/** `npm run bench`: see README.md beside this file. */
import { UsageError } from './arguments.js'
import { BUDGET } from './budget.js'
import { comparison } from './compare.js'
import { chooseCpus } from './cpus.js'
import { help } from './help.js'
import { type Report, writeWhole } from './json-report.js'
import { describeMachine } from './machine.js'
import { chooseMemory } from './memory.js'
import { type Options, parseOptions } from './options.js'
import { page } from './page/page.js'
import { Progress } from './progress.js'
import { duration } from './status-line.js'
import { asked, planOf, runSuite } from './suite.js'
import { describe, summarize } from './text-report.js'

const FAILED = 1
const INTERRUPTED = 130

/** How long measuring may take to end in good order. */
const ENDING_MS = 20_000

/** Writing what there is by now, between two measurements, takes some milliseconds; not after each. */
const WRITING_MS = 15_000

async function main(args: readonly string[]): Promise<number> {
  const signal = untilStopped()
  const options = await parseOptions(args)
  if ('help' in options) {
    process.stdout.write(help(options.help))
    return 0
  }
  if (options.from === undefined) return measure(options, args, signal)
  process.stdout.write(`${describe(options.from.machine)}\n\n`)
  present(options.from, options)
  return 0
}

/** Aborted when this process is told to stop. */
function untilStopped(): AbortSignal {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      stop.abort(new Error(`stopped by ${signal}`))
      // The kernel ends the children of a bench that hangs.
      setTimeout(() => process.exit(INTERRUPTED), ENDING_MS).unref()
    })
  }
  return stop.signal
}

function writeJson({ json }: Options, report: Report): void {
  if (json !== undefined) writeWhole(json, `${JSON.stringify(report, undefined, 2)}\n`)
}

/** Shows a report in all the ways that were asked for. */
function present(report: Report, { sections, html, compare }: Options): void {
  process.stdout.write(`${summarize(report, sections)}\n`)
  if (compare !== undefined) {
    process.stdout.write(`\n\n${comparison(compare, report, sections)}\n`)
  }
  if (html !== undefined) writeWhole(html, page(report, sections))
}

async function measure(
  options: Options,
  args: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const { sections, smoke } = options
  const cpus = chooseCpus(options.cpus)
  const memory = chooseMemory(options.memory)
  for (const section of sections) section.check?.(asked(options))
  const machine = describeMachine(cpus, memory, args)
  process.stdout.write(`${describe(machine)}\n\n`)
  const expected = planOf(options).map(({ seconds }) => seconds)
  const total = expected.reduce((sum, seconds) => sum + seconds, 0)
  const promised = options.whole ? Math.min(total, BUDGET[options.effort]) : total
  if (!smoke) process.stderr.write(`This takes about ${duration(promised)}.\n`)

  const progress = new Progress(expected)
  // What comes next may take an hour, and never end.
  const unended = (sofar: Report) => ({ interrupted: 'it never came to its end', ...sofar })
  let written = performance.now()
  const listener = {
    begin: progress.begin,
    progress: progress.progress,
    say: progress.say,
    kept: (sofar: () => Report) => {
      if (performance.now() - written < WRITING_MS) return
      writeJson(options, unended(sofar()))
      written = performance.now()
    },
    end: (sofar: Report) => {
      progress.end()
      writeJson(options, unended(sofar))
    },
  }
  const report = await runSuite({ options, cpus, memory, machine }, listener, signal)
  writeJson(options, report)
  present(report, options)
  if (signal.aborted) {
    process.stderr.write(`${(signal.reason as Error).message}\n`)
    return INTERRUPTED
  }
  const failed = Object.values(report.sections).some(({ incomplete }) =>
    incomplete?.startsWith('failed'),
  )
  return failed ? FAILED : 0
}

let code: number
try {
  code = await main(process.argv.slice(2))
} catch (error) {
  const usage = error instanceof UsageError
  process.stderr.write(`${(error as Error).message}\n${usage ? '--help shows the options.\n' : ''}`)
  code = usage ? 2 : FAILED
}
// Timers of answers that nobody waits for any more would hold it up.
process.exit(code)
