import { toJson } from '../admin/json.js'
import { newPaint, type Paint } from './text/paint.js'

/** Where a subcommand's answer goes. */
export interface Terminal {
  readonly json: boolean
  readonly paint: Paint
  /** Writes the answer: `value` for machines, or the text made of it for people. */
  answer<T>(value: T, text: (value: T) => string): void
}

export function newTerminal({ json = false }: { json?: boolean }): Terminal {
  const paint = newPaint(wantsColours())
  return {
    json,
    paint,
    answer: (value, text) => {
      const output = json ? toJson(value, 2) : text(value)
      if (output !== '') process.stdout.write(output.endsWith('\n') ? output : `${output}\n`)
    },
  }
}

/** Colours only for eyes, and only if they like them (no-color.org). */
function wantsColours(): boolean {
  const { NO_COLOR, TERM } = process.env
  return Boolean(process.stdout.isTTY) && !NO_COLOR && TERM !== 'dumb'
}

/** Ends quietly when the reader has seen enough, as `head` has. */
export function endQuietlyOnBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      process.exit()
    })
  }
}
