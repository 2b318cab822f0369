import { readFileSync, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'

/** Time between two looks, in milliseconds. */
const LOOK_MS = 500
/** Changes that follow each other within that time, in milliseconds, are one. */
const SETTLE_MS = 100

/**
 * Notices that a configuration, or a file that it names, is another one than before.
 *
 * It looks at the files again and again. Whoever waits for events of a folder instead learns nothing of links on the way
 * to it that are put elsewhere, as Kubernetes' ConfigMaps are, nor of what happens on another machine's disk.
 */
export class ConfigWatch implements Disposable {
  readonly #path: string
  #files: Set<string>
  #seen: string
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /** @param path - of the configuration; to be read after this, so that nothing is missed in between */
  constructor(path: string) {
    this.#path = path
    this.#files = filesOf(path)
    this.#seen = [...this.#files].map((file) => printOf(statNow(file))).join()
  }

  /** Calls `onChange` after every change since the start, until this is disposed of. */
  follow(onChange: () => void): void {
    this.#lookLater(LOOK_MS, async () => {
      if ((await this.#look()) === this.#seen) return
      await this.#settle()
      if (!this.#closed) onChange()
    })
  }

  [Symbol.dispose](): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  /** Each look waits for the one before, which may take long where files are far away. */
  #lookLater(ms: number, look: () => Promise<void>): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => void look().finally(() => this.#lookLater(ms, look)), ms)
  }

  /** Resolves once nothing has changed for a while. */
  async #settle(): Promise<void> {
    let before: string
    do {
      before = await this.#look()
      await new Promise((done) => setTimeout(done, SETTLE_MS))
      this.#files = filesOf(this.#path, this.#files)
      this.#seen = await this.#look()
    } while (before !== this.#seen && !this.#closed)
  }

  async #look(): Promise<string> {
    const prints = [...this.#files].map(async (file) =>
      printOf(await stat(file, { bigint: true }).catch(() => undefined)),
    )
    return (await Promise.all(prints)).join()
  }
}

type Seen = { readonly dev: bigint; readonly ino: bigint; readonly ctimeNs: bigint } | undefined

/** Another one for another file at the end of the links, and after every change of it, its mode included. */
function printOf(seen: Seen): string {
  return seen === undefined ? 'none' : `${seen.dev}:${seen.ino}:${seen.ctimeNs}`
}

function statNow(file: string): Seen {
  try {
    return statSync(file, { bigint: true })
  } catch {
    return undefined
  }
}

/**
 * The configuration and the files it names: of flows, and of programs.
 *
 * @param before - what they were, for when it cannot be read now
 */
function filesOf(path: string, before: ReadonlySet<string> = new Set()): Set<string> {
  const config = resolve(path)
  try {
    // What is in a pipe is for who runs the switch, and could be long in coming.
    const text = statSync(config).isFile() ? readFileSync(config, 'utf8') : ''
    const { bridges = [] } = (parse(text) ?? {}) as {
      bridges?: { flowsFile?: unknown; program?: unknown }[]
    }
    const named = bridges.flatMap(({ flowsFile, program }) => {
      const file = (program as { file?: unknown } | undefined)?.file ?? program
      return [flowsFile, file].filter((name) => typeof name === 'string')
    })
    return new Set([config, ...named.map((name) => resolve(dirname(config), name))])
  } catch {
    return new Set([config, ...before])
  }
}
