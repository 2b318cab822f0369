// One step of a script: a child process that is quiet unless it fails.
// Everything goes to stderr, so that stdout stays free for the command the step prepares.

import { spawnSync } from 'node:child_process'

const MINUTE = 60_000

/** Says on stderr what a script is doing. */
export function say(text) {
  process.stderr.write(`${text}\n`)
}

class Failure extends Error {}

/** Ends the script with this text and exit code 1, by way of the `finally` blocks around it. */
export function fail(text) {
  throw new Failure(text)
}

process.on('uncaughtException', (error) => {
  say(`\n${error instanceof Failure ? error.message : error.stack}`)
  process.exit(1)
})

/**
 * Runs a command, saying one line about it; its own output is shown only when it fails, and then
 * ends the script, unless the step is `optional`.
 */
export function step(title, command, args, options = {}) {
  const { timeout = 20 * MINUTE, optional = false, ...rest } = options
  process.stderr.write(`- ${title} ... `)
  const started = Date.now()
  const child = spawnSync(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    killSignal: 'SIGKILL',
    timeout,
    ...rest,
  })
  if (child.status === 0) {
    say(`${((Date.now() - started) / 1000).toFixed(1)} s`)
    return child.stdout
  }
  say(optional ? 'failed, going on' : 'failed')
  const cause =
    child.error?.message ??
    (child.signal ? `killed by ${child.signal}` : `exit code ${child.status}`)
  process.stderr.write(`${child.stdout ?? ''}${child.stderr ?? ''}`)
  if (!optional) fail(`${title} failed (${cause}): ${command} ${args.join(' ')}`)
}
