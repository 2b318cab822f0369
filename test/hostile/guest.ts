import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** What a guest reports: counts by name, and why it failed when it did. */
export type Report = { ok: boolean; error?: string } & Record<string, number | string | boolean>

/** Options of a scenario, by name: see guest/main.cc. */
export type Wishes = Record<string, number | string | boolean>

// Sources are not copied to dist/.
const sources = fileURLToPath(new URL('../../../test/hostile/guest/', import.meta.url))
const build = fileURLToPath(new URL('../../../build/test/', import.meta.url))

/** The guest runs without the sanitizers that the process of the test may be preloaded with. */
const { LD_PRELOAD: _, ...env } = process.env

/** Compiles the guest (test/hostile/guest) where that was not done, and runs scenarios of it. */
export class HostileGuest {
  readonly #binary = compiled()

  /** Runs a scenario between the sockets `a` and `b` until it has ended. */
  async run(
    scenario: string,
    a: string,
    b: string,
    wishes: Wishes = {},
    timeout = 50_000,
  ): Promise<Report> {
    const words = Object.entries({ a, b, ...wishes }).flatMap(([name, value]) => [
      `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      String(Number.isNaN(Number(value)) ? value : Number(value)),
    ])
    const { stdout } = await promisify(execFile)(this.#binary, [scenario, ...words], {
      env,
      timeout,
      killSignal: 'SIGKILL',
    })
    return JSON.parse(stdout) as Report
  }
}

/** The guest of these sources, compiled once for all tests. */
function compiled(): string {
  const files = readdirSync(sources).map((name) => join(sources, name))
  const flags = ['-std=c++17', '-O1', '-Wall', '-Wextra', '-Werror', '-pthread']
  const hash = createHash('sha256').update(flags.join(' '))
  for (const file of files) hash.update(file).update(readFileSync(file))
  const binary = join(build, `guest-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(binary)) return binary
  mkdirSync(build, { recursive: true })
  const unfinished = `${binary}.${process.pid}`
  const units = files.filter((file) => file.endsWith('.cc'))
  execFileSync('c++', [...flags, '-o', unfinished, ...units], { env, timeout: 240_000 })
  renameSync(unfinished, binary)
  return binary
}
