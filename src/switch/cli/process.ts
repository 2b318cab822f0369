/** Subcommands that need no running switch. */

import { type CheckedConfig, checkConfigFile, reportLine } from '../config/index.js'
import { counted } from '../counted.js'
import { ExitCode } from './exit-codes.js'
import { newTerminal } from './terminal.js'

/** Returns the exit code. */
export async function check(file: string, options: { json?: boolean }): Promise<number> {
  const { json, answer, paint } = newTerminal(options)
  const { spec, problems, warnings } = checkConfigFile(file)
  if (json) answer({ ok: spec !== undefined, problems, warnings }, String)
  for (const warning of json ? [] : warnings) {
    process.stderr.write(`${reportLine(warning)} (warning)\n`)
  }
  for (const problem of json ? [] : problems) process.stderr.write(`${reportLine(problem)}\n`)
  if (spec === undefined) {
    if (!json) process.stderr.write(`${file}: ${counted(problems.length, 'problem')}\n`)
    return ExitCode.refused
  }
  if (!json) answer(spec, (good) => paint('good', `${file}: ${summary(good)}`))
  return ExitCode.ok
}

function summary({ bridges, ports, lcores }: NonNullable<CheckedConfig['spec']>): string {
  const counts = [
    [bridges.length, 'bridge'],
    [ports.length, 'port'],
    [lcores.length, 'lcore'],
  ] as const
  const words = counts.map(([count, what]) => counted(count, what))
  return `good: ${words.join(', ')}`
}

export async function schema(): Promise<void> {
  const { configJsonSchema } = await import('../config/file-schema.js')
  newTerminal({ json: true }).answer(configJsonSchema(), String)
}
