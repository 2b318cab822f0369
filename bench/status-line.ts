/** What goes on, on stderr: one line that changes on a terminal, a line for each thing elsewhere. */
export class StatusLine {
  #line = ''

  /** Something begins. */
  show(line: string): void {
    if (line === this.#line) return
    this.#line = line
    if (process.stderr.isTTY) {
      const fits = line.slice(0, (process.stderr.columns || 80) - 1)
      process.stderr.write(`\r\x1b[K${fits}`)
    } else process.stderr.write(`${line}\n`)
  }

  /** Something that must not be overwritten. */
  say(text: string): void {
    this.end()
    process.stderr.write(`${text}\n`)
  }

  /** Clears the line. */
  end(): void {
    if (process.stderr.isTTY && this.#line !== '') process.stderr.write('\r\x1b[K')
    this.#line = ''
  }
}

/** `40 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
