import assert from 'node:assert/strict'
import { Datapath, type Port } from '../../src/index.js'
import { TestHost } from '../../src/testkit/index.js'
import { SMALL, socketFolder } from '../support/loopback.js'
import { HostileGuest, type Report, type Wishes } from './guest.js'

/** A switch with two ports for a hostile guest, and two for honest ones, each pair wired together. */
export class AttackedSwitch implements AsyncDisposable {
  private constructor(
    readonly datapath: Datapath,
    readonly ports: readonly Port[],
    private readonly hosts: readonly TestHost[],
    private readonly guest: HostileGuest,
    private readonly folder: ReturnType<typeof socketFolder>,
  ) {}

  /**
   * @param lcores - threads that poll: more than one share the ports
   * @param burst - most frames that one takes at once
   */
  static async start(lcores = 1, burst = 32): Promise<AttackedSwitch> {
    const folder = socketFolder()
    const guest = new HostileGuest()
    const datapath = await Datapath.open(SMALL)
    const pairs = [['a', 'b'] as [string, string], ['c', 'd'] as [string, string]]
    const hosts: TestHost[] = []
    const ports: Port[] = []
    for (const name of pairs.flat()) {
      const path = `${folder.path}/${name}`
      const options = { reconnect: { firstDelayMs: 1, maxDelayMs: 5 }, flapLimit: 0 }
      ports.push(await datapath.addPort({ name, type: 'dpdkvhostuserclient', path, ...options }))
      if (ports.length > 2) hosts.push(await TestHost.start({ path, ip: `10.0.0.${ports.length}` }))
    }
    for (let i = 0; i < lcores; i++)
      await datapath.launch('dpdk-vhost/programs/cross-connect', { burst, data: { pairs } })
    await Promise.all(hosts.map((host) => host.linkUp()))
    return new AttackedSwitch(datapath, ports, hosts, guest, folder)
  }

  /** Runs a scenario; whatever it did, honest guests must be served after it, over the same ports and others. */
  async suffers(scenario: string, wishes: Wishes = {}): Promise<Report> {
    const report = await this.attack(scenario, wishes)
    await this.isSane()
    return report
  }

  /** The same, and no more than that. */
  async attack(scenario: string, wishes: Wishes = {}): Promise<Report> {
    const report = await this.#run(scenario, wishes)
    assert.equal(report.error, undefined)
    return report
  }

  /** Honest guests are served, over the ports that were attacked and over others. */
  async isSane(): Promise<void> {
    await this.#run('sane', { frames: 300 }).then(({ error }) => assert.equal(error, undefined))
    const { sent, received } = await (this.hosts[0] as TestHost).ping('10.0.0.4', {
      count: 3,
      intervalMs: 10,
    })
    assert.equal(received, sent)
  }

  #run(scenario: string, wishes: Wishes): Promise<Report> {
    return this.guest.run(scenario, `${this.folder.path}/a`, `${this.folder.path}/b`, wishes)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.close()))
    await this.datapath.close()
    this.folder[Symbol.dispose]()
  }
}
