/** `npm run bench`: see README.md beside this file. */
import { writeFileSync } from 'node:fs'
import { UsageError } from './arguments.js'
import { type Boundary, measureBoundary } from './boundary.js'
import type { Contender } from './contender.js'
import { chooseCpus } from './cpus.js'
import { toJson } from './json-report.js'
import { describeMachine } from './machine.js'
import { chooseMemory } from './memory.js'
import { HELP, type Options, parseOptions } from './options.js'
import { Progress } from './progress.js'
import { runBench } from './run.js'
import { describe, summarize } from './text-report.js'

const INTERRUPTED = 130

async function main(args: readonly string[]): Promise<number> {
  if (args[0] === 'reconnect') {
    const { measureReconnects } = await import('./reconnect/main.js')
    return untilStopped((signal) => measureReconnects(args.slice(1), signal))
  }
  if (args[0] === 'ports') {
    const { measurePorts } = await import('./ports/main.js')
    return untilStopped((signal) => measurePorts(args.slice(1), signal))
  }
  if (args[0] === 'qos') {
    const { measureQos } = await import('./qos/main.js')
    await measureQos(args.slice(1))
    return 0
  }
  if (args[0] === 'micro') {
    const { runMicro } = await import('./micro/run.js')
    await runMicro()
    return 0
  }
  const options = parseOptions(args)
  if (options === 'help') {
    process.stdout.write(HELP)
    return 0
  }
  return untilStopped((signal) => compare(options, args, signal))
}

/** Has the measurement stop in good order when this process is told to. */
async function untilStopped(measure: (signal: AbortSignal) => Promise<void>): Promise<number> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stop.abort(new Error(`stopped by ${signal}`)))
  }
  try {
    await measure(stop.signal)
    return 0
  } catch (error) {
    if (!stop.signal.aborted) throw error
    process.stderr.write(`${(stop.signal.reason as Error).message}\n`)
    return INTERRUPTED
  }
}

async function compare(
  options: Options,
  args: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { rings, frameBytes } = options
  const contenders = available(options)
  const cpus = chooseCpus(options.cpus)
  const memory = chooseMemory(options.memory)
  // Found out before there is anything to lose.
  if (options.json !== undefined) writeFileSync(options.json, '')
  const machine = describeMachine(cpus, memory, args)
  process.stdout.write(`${describe(machine)}\n\n`)

  const progress = new Progress()
  const scenarios = rings.map((ring) => ({ ring, frameBytes }))
  try {
    const results = await runBench(
      { ...options, contenders, scenarios, cpus, memory },
      progress,
      signal,
    )
    const boundaries: Boundary[] = []
    if (measuresBoundary(options)) {
      for (const ring of rings) {
        progress.boundary(ring)
        const shared = { ...options, ring, cpus, memory }
        boundaries.push(await measureBoundary(shared, options.boundarySeconds * 1000, signal))
      }
    }
    progress.end()
    process.stdout.write(`${summarize(results, boundaries, machine)}\n`)
    if (options.json !== undefined) {
      writeFileSync(
        options.json,
        `${JSON.stringify(toJson(machine, options, results, boundaries), undefined, 2)}\n`,
      )
    }
  } finally {
    progress.end()
  }
}

/** Those that can be run. One that was asked for by its name and cannot be is an error. */
function available({ contenders, named }: Options): Contender[] {
  return contenders.filter((contender) => {
    try {
      contender.check?.()
      return true
    } catch (error) {
      if (named) throw error
      process.stderr.write(`without ${contender.name}: ${(error as Error).message}\n`)
      return false
    }
  })
}

/** The boundary is what lies between these two. */
function measuresBoundary({ contenders }: Options): boolean {
  return ['native-io', 'ts-io'].every((name) => contenders.some((other) => other.name === name))
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const usage = error instanceof UsageError
  process.stderr.write(`${(error as Error).message}\n${usage ? '--help shows the options.\n' : ''}`)
  process.exitCode = usage ? 2 : 1
}
