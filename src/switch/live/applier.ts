import type { Change } from '../config/index.js'
import type { BridgeSpec, LcoreSpec, LoggingSpec, MetricsSpec, SwitchSpec } from '../spec.js'
import type { Bridges } from './bridges.js'
import type { Lcores } from './lcores.js'
import type { Ports } from './ports.js'
import type { Programs } from './programs.js'

/** What a switch consists of while it runs. */
export interface Parts {
  readonly bridges: Bridges
  readonly ports: Ports
  readonly programs: Programs
  readonly lcores: Lcores
  /** What the process around the switch looks after; see `SwitchOptions`. */
  onLogging?(logging: LoggingSpec): void | Promise<void>
  onMetrics?(metrics: MetricsSpec | undefined): void | Promise<void>
  allow?(change: Change): void
}

/** A change that could not be made. */
export interface FailedChange {
  readonly change: Change
  readonly error: unknown
}

/** Makes changes of a switch that runs, one at a time. Each is in force when its promise resolves. */
export class Applier {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async make(change: Change): Promise<void> {
    const { bridges, ports, programs, lcores } = this.#parts
    switch (change.type) {
      case 'bridgeAdded':
        return this.#addBridge(change.bridge)
      case 'bridgeRemoved':
        // What was added to it by hand goes with it.
        for (const port of bridges.get(change.bridge).ports.keys()) await ports.remove(port)
        programs.forget(change.bridge)
        return bridges.remove(change.bridge)
      case 'portAdded':
        return ports.add(change.port)
      case 'portRemoved':
        return ports.remove(change.port)
      case 'localAdded':
        return ports.addLocal(change.bridge, change.local)
      case 'localRemoved':
        return ports.remove(change.local.iface)
      case 'attachment':
        return ports.attach(change.port, change.attachment)
      case 'adminState':
        return ports.setAdminState(change.port, change.adminState)
      case 'rxAffinity':
        return ports.setRxAffinity(change.port, change.rxAffinity)
      case 'egressShaper':
        return ports.setEgressShaper(change.port, change.egressShaper)
      case 'bridgeSettings':
        return bridges.configure(change.bridge, change.settings)
      case 'tableSize':
        return bridges.configure(change.bridge, { tableSize: change.tableSize })
      case 'meters':
        return bridges.setMeters(change.bridge, change.meters)
      case 'flows':
        return bridges.changeFlows(change)
      case 'program':
        return programs.setByFile(change.bridge, change.program)
      case 'lcoreAdded':
        return lcores.add(change.lcore)
      case 'lcoreRemoved':
        return lcores.remove(change.lcore)
      case 'logging':
        return this.#parts.onLogging?.(change.logging)
      case 'metrics':
        return this.#parts.onMetrics?.(change.metrics)
    }
  }

  /**
   * Makes a switch of nothing. Returns the ports that could not be added.
   *
   * @throws what a bridge or an lcore throws
   */
  async begin({ bridges, ports, lcores }: SwitchSpec): Promise<FailedChange[]> {
    for (const bridge of bridges) await this.#addBridge(bridge)
    const [outcomes] = await Promise.all([this.#parts.ports.addAll(ports), this.#addLcores(lcores)])
    const failed = outcomes.map(({ spec, error }): FailedChange => {
      return { change: { type: 'portAdded', port: spec, remade: false }, error }
    })
    for (const { name, local } of bridges) {
      if (local === undefined) continue
      const change = { type: 'localAdded', bridge: name, local, remade: false } as const
      await this.make(change).catch((error: unknown) => failed.push({ change, error }))
    }
    return failed
  }

  /** To be called before the first of changes is made. @throws what forbids one of them */
  allow(changes: readonly Change[]): void {
    for (const change of changes) this.#parts.allow?.(change)
  }

  hasPort(name: string): boolean {
    return this.#parts.ports.list().some(({ port }) => port.name === name)
  }

  /** Loads the program of a bridge again if its file has changed. Returns the file if so. */
  async refreshProgram(bridge: string): Promise<string | undefined> {
    const { bridges, programs } = this.#parts
    if (!bridges.states.has(bridge)) return undefined
    return (await programs.refresh(bridge)) ? bridges.get(bridge).program?.file : undefined
  }

  /** One after the other, so that their indices are in the order of their names. */
  async #addLcores(lcores: readonly LcoreSpec[]): Promise<void> {
    for (const lcore of lcores) await this.#parts.lcores.add(lcore)
  }

  /** Without ports. */
  async #addBridge(bridge: BridgeSpec): Promise<void> {
    const { bridges, programs } = this.#parts
    await bridges.add(bridge, bridge.program && (await programs.bundle(bridge.program)))
  }
}
