import type { WriteStream } from 'node:tty'

/** Narrower terminals get plain lines: a wrapped line cannot be redrawn in place. */
const LEAST_COLUMNS = 80

const ESC = '\u001b['

/** The terminal: lines that stay, and below them a few that are redrawn in place. */
export class Screen {
  /** How often live lines are worth redrawing. */
  readonly intervalMs: number
  readonly #stream: NodeJS.WriteStream
  readonly #redraws: boolean
  readonly #colours: boolean
  #liveLines = 0

  constructor(stream: NodeJS.WriteStream) {
    const terminal = stream as WriteStream
    this.#stream = stream
    this.#redraws = terminal.isTTY === true && terminal.columns >= LEAST_COLUMNS
    this.#colours = terminal.isTTY === true && terminal.hasColors()
    this.intervalMs = this.#redraws ? 200 : 1000
    if (this.#redraws) this.#stream.write(`${ESC}?25l`)
  }

  /** Adds a line that stays. */
  line(text = ''): void {
    this.#erase()
    this.#stream.write(`${text}\n`)
  }

  title(text: string): void {
    this.line()
    this.line(this.bold(text))
  }

  /** Shows a line, and on a terminal a drawing below it, in place of the last live ones. */
  live(text: string, drawing: string): void {
    this.#erase()
    this.#stream.write(this.#redraws ? `${text}\n${drawing}\n` : `${text}\n`)
    if (this.#redraws) this.#liveLines = 2
  }

  close(): void {
    if (this.#redraws) this.#stream.write(`${ESC}?25h`)
  }

  bold(text: string): string {
    return this.#style('1', text)
  }

  dim(text: string): string {
    return this.#style('2', text)
  }

  good(text: string): string {
    return this.#style('32', text)
  }

  bad(text: string): string {
    return this.#style('31', text)
  }

  #style(code: string, text: string): string {
    return this.#colours ? `${ESC}${code}m${text}${ESC}0m` : text
  }

  #erase(): void {
    if (this.#liveLines > 0) this.#stream.write(`${ESC}${this.#liveLines}A${ESC}J`)
    this.#liveLines = 0
  }
}
