import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Port, PortCounters } from 'dpdk-vhost'
import { readConfig } from '../../../src/switch/config/index.js'
import type { LogFields, SwitchLog } from '../../../src/switch/live/log.js'
import { Switch } from '../../../src/switch/live/switch.js'
import { TestHost, type TestHostOptions } from '../../../src/testkit/index.js'
import { socketFolder, until } from '../../support/loopback.js'

/** A switch that follows a file in a folder of its own, and hosts on sockets there. */
export class Stage implements AsyncDisposable {
  readonly folder = socketFolder()
  /** What the switch said, each line after its level. */
  readonly lines: string[] = []
  /** The fields of each line. */
  readonly fields: LogFields[] = []
  /** What it handed on to its process. */
  readonly settings: unknown[] = []
  readonly hosts: TestHost[] = []
  #running: Switch | undefined

  /** @param config - as in the file, but that memory is small */
  static async start(config: (stage: Stage) => object | Promise<object>): Promise<Stage> {
    const stage = new Stage()
    try {
      stage.write(await config(stage))
      const file = stage.path('vswitch.json')
      const read = () => readConfig(file)
      stage.#running = await Switch.start(await read(), {
        config: file,
        read,
        log: stage.#log(),
        // More than a program may take that does not return.
        lcoreAnswerMs: 3000,
        onLogging: (logging) => void stage.settings.push(logging),
        onMetrics: (metrics) => void stage.settings.push(metrics?.listen),
      })
      return stage
    } catch (error) {
      await stage[Symbol.asyncDispose]()
      throw error
    }
  }

  get switch(): Switch {
    if (this.#running === undefined) throw new Error('it did not start')
    return this.#running
  }

  path(name: string): string {
    return join(this.folder.path, name)
  }

  /** Writes the file. */
  write(config: object): void {
    const admin = { socket: this.path('admin.sock') }
    const datapath = { memory: 'memfd', memoryMiB: 64 }
    writeFileSync(this.path('vswitch.json'), JSON.stringify({ datapath, admin, ...config }))
  }

  /** A port to a host of that name, as in the file. */
  port(name: string, more: object = {}): object {
    return { name, type: 'dpdkvhostuserclient', path: this.path(`${name}.sock`), ...more }
  }

  /** A host on the socket of the port of that name, once it is connected. */
  async host(name: string, options: Partial<TestHostOptions> = {}): Promise<TestHost> {
    const host = await TestHost.start({ name, path: this.path(`${name}.sock`), ...options })
    this.hosts.push(host)
    await host.linkUp()
    const ready = () =>
      this.switch.ports().some((port) => port.name === name && port.state === 'ready')
    await until(`port ${name} is ready`, ready)
    return host
  }

  /** The counters of a port, as tests that account for frames want them. */
  counters(name: string): Pick<Port, 'counters'> {
    return { counters: () => this.switch.stats().ports[name] as PortCounters }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.close()
    for (const host of this.hosts) await host.close()
    this.folder[Symbol.dispose]()
  }

  #log(): SwitchLog {
    const keep =
      (level: string) =>
      (message: string, fields: LogFields = {}) => {
        this.lines.push(`${level} ${message}`)
        this.fields.push(fields)
      }
    return {
      debug: keep('debug'),
      info: keep('info'),
      warn: keep('warn'),
      error: keep('error'),
    }
  }
}
