/** The command `vswitch`. */
import { CommanderError } from 'commander'
import { NoSwitchError, RefusedError } from '../admin/client-error.js'
import { CommandError, ExitCode, UsageError } from './exit-codes.js'
import { newProgram } from './program.js'
import { endQuietlyOnBrokenPipe } from './terminal.js'

endQuietlyOnBrokenPipe()
main(process.argv.slice(2)).then((code) => {
  process.exitCode = code
})

async function main(args: readonly string[]): Promise<number> {
  let code: number = ExitCode.ok
  try {
    const program = newProgram((other) => {
      code = other
    })
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    return report(error)
  }
}

/** Says what went wrong; returns the exit code. */
function report(error: unknown): number {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage
  const say = (text: string) => process.stderr.write(`vswitch: ${text}\n`)
  if (error instanceof UsageError) {
    say(error.message)
    return ExitCode.usage
  }
  if (error instanceof NoSwitchError) {
    say(error.message)
    return ExitCode.noSwitch
  }
  // The report of a configuration: each line begins with its place, for editors to find.
  if (isConfigFileError(error)) {
    process.stderr.write(`${error.message}\n`)
    return ExitCode.refused
  }
  const isMeant = error instanceof RefusedError || error instanceof CommandError
  const hasCode = error instanceof Error && 'code' in error
  // What nobody meant to throw is a bug, and is told with its place.
  say(isMeant || hasCode ? (error as Error).message : String((error as Error)?.stack ?? error))
  return ExitCode.refused
}

/** Known by what it has, since its class comes with DPDK. */
function isConfigFileError(error: unknown): error is Error {
  if (!(error instanceof Error) || !('problems' in error)) return false
  const [first] = error.problems as readonly { line?: number }[]
  return first?.line !== undefined
}
