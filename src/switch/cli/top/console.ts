import { writeSync } from 'node:fs'
import { constants } from 'node:os'
import { emitKeypressEvents, type Key } from 'node:readline'

/** xterm's control sequences: the other screen and no cursor, and back. */
const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

/** The terminal as a canvas, from now until it is disposed of; then it is as it was, whatever ends the process. */
export class Console implements Disposable {
  readonly #onKey: (key: Key) => void
  readonly #onResize: () => void
  readonly #restore = () => this.#leave()
  readonly #resume = () => this.#enter()
  #entered = false

  /** @param onKey - told of keys; not of those that end or stop the process @param onResize - the size is another */
  constructor(onKey: (key: Key) => void, onResize: () => void) {
    this.#onKey = onKey
    this.#onResize = onResize
    process.once('exit', this.#restore)
    for (const signal of SIGNALS) process.on(signal, this.#end)
    process.on('SIGCONT', this.#resume)
    process.stdout.on('resize', onResize)
    if (process.stdin.isTTY) {
      emitKeypressEvents(process.stdin)
      process.stdin.on('keypress', this.#pressed)
    }
    this.#enter()
  }

  get size(): { columns: number; rows: number } {
    return { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }
  }

  /** Draws lines from the top. A terminal that is too slow to follow misses some drawings. */
  draw(lines: readonly string[]): void {
    if (!this.#entered || process.stdout.writableNeedDrain) return
    // Written over, and the rest of each line erased: that does not flicker.
    const text = lines.map((line) => `${line}\x1b[K`).join('\r\n')
    process.stdout.write(`\x1b[H${text}\x1b[J`)
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#restore)
    for (const signal of SIGNALS) process.off(signal, this.#end)
    process.off('SIGCONT', this.#resume)
    process.stdout.off('resize', this.#onResize)
    process.stdin.off('keypress', this.#pressed)
    this.#leave()
  }

  readonly #end = (signal: (typeof SIGNALS)[number]) =>
    process.exit(128 + constants.signals[signal])

  readonly #pressed = (_text: string | undefined, key: Key) => {
    // A raw terminal sends no signals by itself.
    if (key.ctrl && key.name === 'c') this.#end('SIGINT')
    else if (key.ctrl && key.name === 'z') {
      this.#leave()
      process.kill(process.pid, 'SIGTSTP')
    } else this.#onKey(key)
  }

  #enter(): void {
    if (this.#entered) return
    this.#entered = true
    if (process.stdin.isTTY) process.stdin.setRawMode(true).resume()
    process.stdout.write(ENTER)
    this.#onResize()
  }

  #leave(): void {
    if (!this.#entered) return
    this.#entered = false
    try {
      if (process.stdin.isTTY) process.stdin.setRawMode(false).pause()
      // At the end of a process nothing is written any more but at once.
      writeSync(process.stdout.fd, LEAVE)
    } catch {
      // The terminal is gone.
    }
  }
}
