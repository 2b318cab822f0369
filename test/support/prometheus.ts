/** A real Prometheus that scrapes a real switch. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** What `npm run setup -- --metrics` unpacks: the layout is a contract with scripts/lib/prometheus.mjs. */
const CACHE = join(
  process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
  'dpdk-vhost/prometheus/usr/bin',
)

/** Path of `prometheus` or `promtool`; undefined where it is not. */
export function findPrometheus(name: 'prometheus' | 'promtool'): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), CACHE]
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file))
}

/** Why tests with it are skipped; false if they are not. */
export const noPrometheus =
  findPrometheus('prometheus') && findPrometheus('promtool')
    ? false
    : 'no Prometheus: npm run setup -- --metrics'

/** One series of an answer. */
export interface Found {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [time: number, value: string]
}

export class Prometheus implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'dpdk-vhost-prometheus-'))
  readonly #process: ChildProcess
  readonly #base: string
  #output = ''

  private constructor(program: string, target: string, port: number) {
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s' },
      scrape_configs: [{ job_name: 'vswitch', static_configs: [{ targets: [target] }] }],
    }
    const file = join(this.#folder, 'prometheus.yml')
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(config))
    const listen = `127.0.0.1:${port}`
    this.#base = `http://${listen}`
    const args = [
      `--config.file=${file}`,
      `--storage.tsdb.path=${this.#folder}/data`,
      `--web.listen-address=${listen}`,
    ]
    this.#process = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 240_000,
      killSignal: 'SIGKILL',
    })
    this.#process.stderr?.on('data', (data) => {
      this.#output += data
    })
  }

  /** @param target - `127.0.0.1:9475` @returns once it has scraped it */
  static async start(target: string): Promise<Prometheus> {
    const program = findPrometheus('prometheus')
    if (program === undefined) throw new Error('no prometheus')
    const one = new Prometheus(program, target, await freePort())
    const isUp = async () => (await one.query('up == 1').catch(() => [])).length === 1
    try {
      await eventually('Prometheus has scraped', isUp)
      return one
    } catch (error) {
      await one[Symbol.asyncDispose]()
      throw new Error(`${(error as Error).message}\n${one.#output}`)
    }
  }

  /** @throws Error with what Prometheus says of an expression that it does not understand */
  async query(expression: string): Promise<Found[]> {
    const url = `${this.#base}/api/v1/query?${new URLSearchParams({ query: expression })}`
    const answer = (await (await fetch(url)).json()) as {
      status: string
      error?: string
      data?: { result: Found[] }
    }
    if (answer.status !== 'success') throw new Error(`${expression}: ${answer.error}`)
    return answer.data?.result ?? []
  }

  /** The one value of an expression; NaN where there is not one. */
  async value(expression: string): Promise<number> {
    const found = await this.query(expression)
    return found.length === 1 ? Number(found[0]?.value[1]) : Number.NaN
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, 'close')
      this.#process.kill('SIGTERM')
      await ended
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** Waits until something holds that has to be asked. */
export async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await holds()) return
    await delay(200)
  }
  throw new Error(`after a minute still not: ${what}`)
}
