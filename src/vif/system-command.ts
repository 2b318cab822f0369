import { execFile } from 'node:child_process'

/** A command that is not there, failed, or took too long. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'

  constructor(
    message: string,
    /** Whether there is no such command. */
    readonly isMissing: boolean,
    /** What it wrote to standard error, if it was there and ended in time. */
    readonly said = '',
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** What a command of the host writes to standard output. @throws {@link CommandFailed} with the first line of what it said */
export function runCommand(
  command: string,
  args: readonly string[],
  { timeoutMs, input = '' }: { timeoutMs: number; input?: string },
): Promise<string> {
  const options = {
    encoding: 'utf8',
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: 64 * 1024 * 1024,
    // What they say is read.
    env: { ...process.env, LC_ALL: 'C' },
  } as const
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, options, (cause, stdout, stderr) => {
      if (cause === null) return resolve(stdout)
      const isMissing = cause.code === 'ENOENT'
      const text = stderr.trim()
      const failed = (message: string, said = '') =>
        reject(new CommandFailed(message, isMissing, said, { cause }))
      if (isMissing) return failed(`there is no ${command}`)
      if (cause.killed) return failed(`no answer within ${timeoutMs / 1000} s`)
      failed(text.split('\n')[0] || cause.message, text)
    })
    child.stdin?.on('error', () => {}).end(input)
  })
}
