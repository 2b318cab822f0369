/** What goes on, on stderr: one line that changes on a terminal, a line for each thing done elsewhere. */
export class StatusLine {
  #line = ''

  /** `[2/10, 40 s left]` for the second of ten. */
  static where(index: number, total: number, secondsLeft: number | undefined): string {
    const left = secondsLeft === undefined ? '' : `, ${duration(secondsLeft)} left`
    return `[${index + 1}/${total}${left}]`
  }

  /** Something begins. */
  show(line: string): void {
    this.#line = line
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`)
  }

  /** It ended, with this result. */
  done(result = ''): void {
    if (process.stderr.isTTY) return
    process.stderr.write(`${this.#line}${result === '' ? '' : `: ${result}`}\n`)
  }

  /** Something that must not be overwritten. */
  say(text: string): void {
    this.end()
    process.stderr.write(`${text}\n`)
  }

  /** Clears the line. */
  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }
}

function duration(seconds: number): string {
  const whole = Math.round(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}
