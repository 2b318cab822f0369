import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** What a guest reports: counts by name, and why it failed when it did. */
export type Report = { ok: boolean; error?: string } & Record<string, number | string | boolean>

/** Options of a scenario, by name: see guest/main.cc. */
export type Wishes = Record<string, number | string | boolean>

// Sources are not copied to dist/.
const sources = fileURLToPath(new URL('../../../test/hostile/guest/', import.meta.url))

/** The guest runs without the sanitizers that the process of the test may be preloaded with. */
const { LD_PRELOAD: _, ...env } = process.env

/** Compiles the guest (test/hostile/guest), unless DPDK_VHOST_GUEST names one, and runs scenarios of it. */
export class HostileGuest implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'dv-guest-'))
  readonly #binary = process.env.DPDK_VHOST_GUEST ?? join(this.#folder, 'guest')

  constructor() {
    if (process.env.DPDK_VHOST_GUEST === undefined) this.#compile()
  }

  #compile(): void {
    const files = execFileSync('find', [sources, '-name', '*.cc'], { encoding: 'utf8', env })
    const flags = ['-std=c++17', '-O1', '-Wall', '-Wextra', '-Werror', '-pthread']
    execFileSync('c++', [...flags, '-o', this.#binary, ...files.trim().split('\n')], {
      env,
      timeout: 240_000,
    })
  }

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

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
