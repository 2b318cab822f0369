import {
  type AdminState,
  ConfigError,
  type Datapath,
  type EgressShaperSpec,
  type Port,
  type RxAffinity,
} from 'dpdk-vhost'
import { resetBridgePort } from '../bridge/index.js'
import { NotFound } from '../control.js'
import { resetGuardPort } from '../guards/memory.js'
import type { AttachmentSpec, LocalPort, SwitchPortSpec } from '../spec.js'
import type { Bridges } from './bridges.js'
import { configureInterface, localPort, withTapNeeds } from './local-port.js'

/** A port that is there, and what it is to be. */
export interface LivePort {
  /** As it is now: changes since it was added included. */
  readonly spec: SwitchPortSpec
  readonly port: Port
  /** Whether it is the local port of its bridge. */
  readonly local: boolean
}

/** The ports of the switch: in the datapath, and in their bridges. */
export class Ports {
  readonly #datapath: Datapath
  readonly #bridges: Bridges
  readonly #onNames: (names: readonly string[]) => void
  readonly #ports = new Map<string, LivePort>()

  /** @param onNames - told of the names of all ports when any came or went */
  constructor(datapath: Datapath, bridges: Bridges, onNames: (names: readonly string[]) => void) {
    this.#datapath = datapath
    this.#bridges = bridges
    this.#onNames = onNames
  }

  /** In the order they were added. */
  list(): LivePort[] {
    return [...this.#ports.values()]
  }

  /** @throws NotFound */
  get(name: string): LivePort {
    const live = this.#ports.get(name)
    if (live !== undefined) return live
    const names = [...this.#ports.keys()].join(', ') || 'none'
    throw new NotFound(`no port is called '${name}'; there are ${names}`)
  }

  /** A port that can be changed by itself. @throws NotFound; ConfigError for the local port of a bridge */
  getOwn(name: string): LivePort {
    const live = this.get(name)
    if (!live.local) return live
    const problem = {
      path: 'name',
      value: name,
      message: `is the local port of bridge ${live.spec.attachment.bridge}`,
      fix: "change 'local' of the bridge in the configuration and reload it",
    }
    throw new ConfigError(`port ${JSON.stringify(name)}`, [problem])
  }

  /** @throws ConfigError; DatapathError as `Datapath.addPort` */
  async add(spec: SwitchPortSpec): Promise<void> {
    const failures = await this.addAll([spec])
    for (const { error } of failures) throw error
  }

  /** Adds ports side by side. Returns those that could not be added, and why. */
  async addAll(
    specs: readonly SwitchPortSpec[],
  ): Promise<{ spec: SwitchPortSpec; error: unknown }[]> {
    for (const { port } of specs) if (this.#ports.has(port.name)) throw taken(port.name)
    // Before the first of their frames, lcores know where they belong.
    await this.#bridges.attach(
      new Map(specs.map(({ port, attachment }) => [port.name, attachment])),
    )
    const outcomes = await Promise.allSettled(specs.map(({ port }) => this.#datapath.addPort(port)))
    const failures: { spec: SwitchPortSpec; error: unknown }[] = []
    for (const [i, spec] of specs.entries()) {
      const { name } = spec.port
      const outcome = outcomes[i] as PromiseSettledResult<Port>
      if (outcome.status === 'fulfilled') {
        this.#ports.set(name, { spec, port: outcome.value, local: false })
      } else {
        await this.#bridges.detach(name, spec.attachment.bridge)
        failures.push({ spec, error: outcome.reason })
      }
    }
    this.#tellNames()
    return failures
  }

  /** Adds the TAP by which the host takes part in a bridge. @throws as `add`; DatapathError with the words of `ip` */
  async addLocal(bridge: string, local: LocalPort): Promise<void> {
    const { mtu } = this.#datapath
    const spec = localPort(bridge, local, mtu)
    await this.add(spec).catch((error: unknown) => {
      throw withTapNeeds(error)
    })
    try {
      await configureInterface(local, mtu)
    } catch (error) {
      await this.remove(local.iface)
      throw error
    }
    this.#ports.set(local.iface, { ...this.get(local.iface), local: true })
  }

  /** @throws NotFound */
  async remove(name: string): Promise<void> {
    const { spec, port } = this.get(name)
    const { bridge } = spec.attachment
    await port.remove()
    this.#ports.delete(name)
    await this.#bridges.detach(name, bridge)
    // Its id will be another port's.
    const { guards, memory } = this.#bridges.get(bridge)
    resetGuardPort(guards, port.id)
    resetBridgePort(memory, port.id)
    this.#tellNames()
  }

  /** Has a port take part in another way, or in another bridge. @throws NotFound */
  async attach(name: string, attachment: AttachmentSpec): Promise<void> {
    const { spec } = this.get(name)
    const before = spec.attachment.bridge
    await this.#bridges.attach(new Map([[name, attachment]]))
    this.#note(name, { ...spec, attachment })
    if (before !== attachment.bridge) await this.#bridges.detach(name, before)
  }

  /** @throws NotFound; DatapathError as `Port.setAdminState` */
  async setAdminState(name: string, adminState: AdminState): Promise<void> {
    const { spec, port } = this.get(name)
    await port.setAdminState(adminState)
    this.#note(name, { ...spec, port: { ...spec.port, adminState } })
  }

  /** @throws NotFound */
  async setRxAffinity(name: string, rxAffinity: RxAffinity): Promise<void> {
    const { spec, port } = this.get(name)
    await port.setRxAffinity(rxAffinity)
    this.#note(name, { ...spec, port: { ...spec.port, rxAffinity } })
  }

  /** @throws NotFound; DatapathError as `Port.setEgressShaper` */
  async setEgressShaper(name: string, shaper: EgressShaperSpec | undefined): Promise<void> {
    const { spec, port } = this.get(name)
    await port.setEgressShaper(shaper)
    this.#note(name, { ...spec, port: { ...spec.port, egressShaper: port.egressShaper } })
  }

  #tellNames(): void {
    const ports = this.list().map(({ port }) => port)
    this.#bridges.portsChanged({
      ids: new Map(ports.map(({ id, name }) => [name, id])),
      names: new Map(ports.map(({ id, name }) => [id, name])),
    })
    this.#onNames(ports.map(({ name }) => name))
  }

  #note(name: string, spec: SwitchPortSpec): void {
    this.#ports.set(name, { ...this.get(name), spec })
  }
}

function taken(name: string): ConfigError {
  const problem = {
    path: 'name',
    value: name,
    message: 'is the name of another port',
    fix: 'choose another name, or delete that port first',
  }
  return new ConfigError(`port ${JSON.stringify(name)}`, [problem])
}
