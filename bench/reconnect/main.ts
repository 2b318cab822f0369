import { writeFileSync } from 'node:fs'
import { chooseCpus } from '../cpus.js'
import { describeMachine, type Machine } from '../machine.js'
import { chooseMemory } from '../memory.js'
import { StatusLine } from '../status-line.js'
import { describeRows, machineRows } from '../text-report.js'
import { HELP, parseOptions } from './options.js'
import { summarize, toJson } from './report.js'
import { runReconnect } from './run.js'

/**
 * `npm run bench -- reconnect`: see README.md beside this file.
 *
 * @throws UsageError; Error when something is not installed; the signal's reason when it is aborted
 */
export async function measureReconnects(
  args: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const options = parseOptions(args)
  if (options === 'help') {
    process.stdout.write(HELP)
    return
  }
  const { contenders, rounds, rate, json } = options
  const cpus = chooseCpus(options.cpus)
  const memory = chooseMemory(options.memory)
  // Found out before there is anything to lose.
  const versions = Object.fromEntries(
    contenders.flatMap((contender) => {
      const version = contender.version()
      return version === undefined ? [] : [[contender.name, version]]
    }),
  )
  if (json !== undefined) writeFileSync(json, '')
  const machine = describeMachine(cpus, memory, ['reconnect', ...args])
  process.stdout.write(`${describe(machine, versions, rate)}\n\n`)

  const status = new StatusLine()
  try {
    const results = await runReconnect({ ...options, cpus, memory }, status, signal)
    status.end()
    process.stdout.write(`${summarize(results)}\n`)
    if (json === undefined) return
    const report = toJson(machine, { rounds, rate, versions }, results)
    writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`)
  } finally {
    status.end()
  }
}

function describe(
  machine: Machine,
  versions: Readonly<Record<string, string>>,
  rate: number,
): string {
  return describeRows([
    ...machineRows(machine),
    ...Object.entries(versions),
    ['switch', `CPU ${machine.switchCpu}`],
    ['guests', `CPU ${machine.generatorCpu}: two test hosts, ${rate} frames a second`],
    ['command', machine.command],
  ])
}
