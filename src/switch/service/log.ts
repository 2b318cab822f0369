import { destination, type Level, pino, stdTimeFunctions } from 'pino'
import type { SwitchLog } from '../live/log.js'
import type { LoggingSpec } from '../spec.js'
import { isJournal } from './journal.js'

/** The log of a process. */
export interface ProcessLog extends SwitchLog {
  /** Takes another level and format. */
  configure(spec: LoggingSpec): void
  /** Resolves once what was logged is written, or cannot be in time. */
  flush(): Promise<void>
}

/** Standard error, which is nobody's answer. */
const FD = 2
/** Bytes that wait for a reader who does not read; more lines are dropped. */
const MAX_WAITING = 1024 * 1024
/** How long the end waits for that reader, in milliseconds. */
const FLUSH_MS = 200

/** Levels of syslog as pino has them. */
const PINO_LEVELS: Readonly<Record<LoggingSpec['level'], Level>> = {
  emergency: 'fatal',
  alert: 'fatal',
  critical: 'fatal',
  error: 'error',
  warning: 'warn',
  notice: 'info',
  info: 'info',
  debug: 'debug',
}

interface Line {
  readonly level: string
  readonly time: string
  readonly msg: string
}

/** Logs to standard error, and never waits for whoever reads it. */
export function newLog(spec: LoggingSpec): ProcessLog {
  const out = destination({ fd: FD, sync: false, maxLength: MAX_WAITING })
  // A reader that went away is no reason to end.
  out.on('error', () => {})
  const toText = isJournal(FD) ? journalLine : textLine
  let format = spec.format
  const logger = pino(
    {
      level: PINO_LEVELS[spec.level],
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (line: string) => void out.write(format === 'json' ? line : toText(JSON.parse(line))),
    },
  )
  const write =
    (level: keyof SwitchLog): SwitchLog[typeof level] =>
    (message, fields) =>
      fields === undefined ? logger[level](message) : logger[level](fields, message)
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    configure(next) {
      logger.level = PINO_LEVELS[next.level]
      format = next.format
    },
    flush: () =>
      new Promise((resolve) => {
        const limit = setTimeout(resolve, FLUSH_MS)
        out.flush(() => {
          clearTimeout(limit)
          resolve()
        })
      }),
  }
}

/** `2026-11-21T15:00:00.000Z info  port vhost0 is ready` */
function textLine({ time, level, msg }: Line): string {
  return `${time} ${level.padEnd(5)} ${msg}\n`
}

/** Priorities of sd-daemon(3). */
const PRIORITIES: Readonly<Record<string, number>> = { error: 3, warn: 4, info: 6, debug: 7 }

function journalLine({ level, msg }: Line): string {
  // Every line of a message needs the priority.
  return msg
    .split('\n')
    .map((line) => `<${PRIORITIES[level] ?? 6}>${line}\n`)
    .join('')
}
