/** A real Neutron server, as `npm run setup -- --vif` unpacks it; see test/vif/neutron_server.py. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { PEERS } from '../../vif/peers.js'

const SERVER = fileURLToPath(new URL('../../../../test/vif/neutron_server.py', import.meta.url))

/** Why tests with it are skipped; false if they are not. */
export const noNeutron =
  existsSync('/usr/bin/python3') && existsSync(join(PEERS, 'usr/share/neutron-common'))
    ? false
    : 'no Neutron: npm run setup -- --vif'

type Json = Readonly<Record<string, never>>

export class NeutronServer implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'dpdk-vhost-neutron-'))
  readonly #process = spawn('/usr/bin/python3', ['-I', '-B', SERVER, PEERS, this.#folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
    killSignal: 'SIGKILL',
  })
  url = ''

  static async start(): Promise<NeutronServer> {
    const server = new NeutronServer()
    const child = server.#process
    let log = ''
    child.stderr.on('data', (data) => {
      log += data
    })
    for await (const line of createInterface({ input: child.stdout })) {
      // Modules of it write there too.
      if (!/^\d+$/.test(line)) continue
      child.stdout.resume()
      server.url = `http://127.0.0.1:${line}`
      return server
    }
    await server[Symbol.asyncDispose]()
    throw new Error(`Neutron has ended:\n${log.slice(-5000)}`)
  }

  /** Asks its API; the answer's one member. */
  async ask(method: string, path: string, body?: object): Promise<{ status: number; body: Json }> {
    const response = await fetch(`${this.url}/v2.0/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(20_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const [content] = text === '' ? [] : Object.values(JSON.parse(text) as object)
    return { status: response.status, body: content }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill('SIGKILL')
      await once(this.#process, 'close')
    }
    rmSync(this.#folder, { recursive: true })
  }
}
