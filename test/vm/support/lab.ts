import assert from 'node:assert/strict'
import { Datapath, type LogEvent, type Port } from '../../../src/index.js'
import { TestHost, type VirtualMachine } from '../../../src/testkit/index.js'
import { account, NOTHING_WRONG } from '../../support/accounts.js'
import { SMALL, socketFolder } from '../../support/loopback.js'
import { addressOf, type GuestOptions, portFor, SLOW, startGuest } from './guests.js'

/**
 * A learning switch in this process, with two hosts that carry traffic whatever happens to the guests beside them.
 * The first of them answers the guests' pings.
 */
export class Lab implements AsyncDisposable {
  readonly datapath: Datapath
  /** Everything DPDK said. */
  readonly log: LogEvent[] = []
  readonly #folder = socketFolder()
  readonly #hosts: TestHost[] = []
  readonly #guests: VirtualMachine[] = []

  static async open(): Promise<Lab> {
    const lab = new Lab(await Datapath.open(SMALL))
    try {
      lab.datapath.on('log', (event) => lab.log.push(event))
      await lab.datapath.launch('dpdk-vhost/programs/learning-switch')
      for (const number of [1, 2]) await lab.#addHost(number)
      const { sent, received } = await lab.host.ping(addressOf(2), { count: 3, timeoutMs: 10_000 })
      assert.equal(received, sent)
      return lab
    } catch (error) {
      await lab[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(datapath: Datapath) {
    this.datapath = datapath
  }

  /** The host that guests talk to. */
  get host(): TestHost {
    return this.#hosts[0] as TestHost
  }

  get hostAddress(): string {
    return addressOf(1)
  }

  /** Adds the port of a guest. */
  addPort(number: number, options: GuestOptions = {}): Promise<Port> {
    return this.datapath.addPort(portFor(this.#folder.path, number, options))
  }

  /** Starts the guest `10.0.0.<number>`, which needs its port to boot. */
  async startGuest(number: number, options: GuestOptions = {}): Promise<VirtualMachine> {
    const guest = await startGuest(this.#folder.path, number, options)
    this.#guests.push(guest)
    return guest
  }

  /** Adds a port, and a guest that has booted. */
  async addGuest(
    number: number,
    options: GuestOptions = {},
  ): Promise<{ guest: VirtualMachine; port: Port }> {
    const port = await this.addPort(number, options)
    const guest = await this.startGuest(number, options)
    await guest.ready(SLOW)
    return { guest, port }
  }

  /** Runs `disturbance` while numbered frames flow between the hosts, each of which has to arrive or be accounted for. */
  async undisturbed(disturbance: () => Promise<void>): Promise<void> {
    const [from, to] = this.#hosts as [TestHost, TestHost]
    const accounts = account(this.datapath.ports.get(to.name) as Port, to)
    await using sending = await from.startSending({ to, rate: 1000, size: [64, 1514] })
    const flowing = await to.receivedOf(sending)
    await disturbance()
    const { delivery, ...wrong } = await accounts(sending)
    assert.deepEqual(wrong, NOTHING_WRONG)
    assert.ok(delivery.frames > flowing.frames, 'frames flowed meanwhile')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#guests.map((guest) => guest.close()))
    await Promise.all(this.#hosts.map((host) => host.close()))
    await this.datapath.close()
    this.#folder[Symbol.dispose]()
  }

  async #addHost(number: number): Promise<void> {
    const name = `host${number}`
    const path = `${this.#folder.path}/${name}`
    const port = await this.datapath.addPort({ name, type: 'dpdkvhostuserclient', path })
    const host = await TestHost.start({ name, path, ip: addressOf(number) })
    this.#hosts.push(host)
    await host.linkUp()
    await port.ready({ timeoutMs: 10_000 })
  }
}
