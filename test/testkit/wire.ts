import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Datapath,
  type DatapathOptions,
  type Lcore,
  type Port,
  type ProgramFunction,
} from '../../src/index.js'
import { TestHost, type TestHostOptions } from '../../src/testkit/index.js'

/** A switch in this process with hosts on its ports. All ports are joined in pairs, 0 with 1, until a test says otherwise. */
export class Wire implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'tk-'))
  readonly datapath: Datapath
  readonly lcore: Lcore
  readonly ports: Port[] = []
  readonly hosts: TestHost[] = []

  private constructor(datapath: Datapath, lcore: Lcore) {
    this.datapath = datapath
    this.lcore = lcore
  }

  static async open(options: DatapathOptions = {}): Promise<Wire> {
    const datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 128, ...options })
    return new Wire(datapath, await datapath.run(crossConnect))
  }

  /** Adds two ports with a host on each. */
  async join(options: Partial<TestHostOptions> = {}): Promise<[TestHost, TestHost]> {
    const ports = [await this.#addPort(options), await this.#addPort(options)]
    const hosts = await Promise.all(ports.map((port) => this.#addHost(port, options)))
    this.hosts.push(...hosts)
    return [hosts[0] as TestHost, hosts[1] as TestHost]
  }

  async #addPort({ listen = true }: Partial<TestHostOptions>): Promise<Port> {
    const name = String(this.ports.length + 1)
    const type = listen ? 'dpdkvhostuserclient' : 'dpdkvhostuser'
    const port = await this.datapath.addPort({ name, type, path: join(this.folder, name) })
    this.ports.push(port)
    return port
  }

  async #addHost(port: Port, options: Partial<TestHostOptions>): Promise<TestHost> {
    const path = join(this.folder, port.name)
    const ip = [`10.0.0.${port.name}`, `fd00::${port.name}`]
    const host = await TestHost.start({ path, ip, maxLifetimeMs: 240_000, ...options })
    await host.linkUp()
    await port.ready({ timeoutMs: 60_000 })
    return host
  }

  /** Switches by another program for the time of a test. */
  async by(program: ProgramFunction): Promise<AsyncDisposable> {
    await this.lcore.replace(program)
    return { [Symbol.asyncDispose]: () => this.lcore.replace(crossConnect) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.close()))
    await this.datapath.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Ports 0 and 1 are joined, 2 and 3, and so on. */
export const crossConnect: ProgramFunction = ({ inPort, count, outPort }) => {
  for (let i = 0; i < count; i++) outPort[i] = inPort ^ 1
}
