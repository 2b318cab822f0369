/** A switch that does what changes say, and refuses what a real one would: names and sockets that are taken, bridges in use. */
import assert from 'node:assert/strict'
import { flowTable } from 'dpdk-vhost'
import type { Change } from '../../../src/switch/config/index.js'
import type {
  AttachmentSpec,
  BridgeSpec,
  LcoreSpec,
  SwitchPortSpec,
  SwitchSpec,
} from '../../../src/switch/spec.js'

interface ModelBridge {
  spec: Omit<BridgeSpec, 'flows' | 'local'>
  given: boolean
  /** A real table. */
  readonly flows: ReturnType<typeof flowTable>
}

export class Model {
  readonly bridges = new Map<string, ModelBridge>()
  readonly ports = new Map<string, SwitchPortSpec>()
  /** Bridges of local ports, and what the ports are, by their interfaces. */
  readonly locals = new Map<string, unknown>()
  readonly lcores = new Map<string, LcoreSpec>()
  logging: unknown
  metrics: unknown

  constructor(spec: SwitchSpec) {
    for (const bridge of spec.bridges) {
      this.apply({ type: 'bridgeAdded', bridge })
      const { local, name } = bridge
      if (local) this.apply({ type: 'localAdded', bridge: name, local, remade: false })
    }
    for (const port of spec.ports) this.apply({ type: 'portAdded', port, remade: false })
    for (const lcore of spec.lcores) this.apply({ type: 'lcoreAdded', lcore, remade: false })
    this.logging = spec.logging
    this.metrics = spec.metrics
  }

  /** All that can be seen of it. */
  get state(): unknown {
    const sorted = (map: Map<string, unknown>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
    const bridges = [...this.bridges].map(([name, { spec, given, flows }]): [string, unknown] => [
      name,
      { spec, given, flows: this.rules(name), counted: flows.dump().length },
    ])
    return {
      bridges: sorted(new Map(bridges)),
      ports: sorted(this.ports),
      locals: sorted(this.locals),
      lcores: sorted(this.lcores),
      logging: this.logging,
      metrics: this.metrics,
    }
  }

  /** Rules of a bridge as text; among those of one priority the order is open. */
  rules(bridge: string): string[] {
    return this.#bridge(bridge)
      .flows.dump()
      .map(({ table, priority, cookie, match, actions }) =>
        [table, priority, cookie, match, actions].join(' '),
      )
      .sort()
  }

  apply(change: Change): void {
    switch (change.type) {
      case 'bridgeAdded': {
        const { flows, local, ...spec } = change.bridge
        assert.ok(!this.bridges.has(spec.name), 'bridge is there')
        const table = flowTable({ rules: flows ?? [] })
        this.bridges.set(spec.name, { spec, given: flows !== undefined, flows: table })
        break
      }
      case 'bridgeRemoved': {
        const used = [...this.ports.values()].some((p) => p.attachment.bridge === change.bridge)
        assert.ok(!used && ![...this.locals.values()].some((l) => isOf(l, change.bridge)), 'in use')
        assert.ok(this.bridges.delete(change.bridge), 'no bridge')
        break
      }
      case 'portAdded': {
        const { port } = change.port
        this.#free(port.name)
        const socket = 'path' in port ? port.path : undefined
        for (const other of this.ports.values())
          assert.ok(!('path' in other.port) || other.port.path !== socket, 'socket is taken')
        this.#attach(change.port.attachment)
        this.ports.set(port.name, change.port)
        break
      }
      case 'portRemoved':
        assert.ok(this.ports.delete(change.port), 'no port')
        break
      case 'localAdded':
        this.#free(change.local.iface)
        this.#bridge(change.bridge)
        this.locals.set(change.local.iface, { bridge: change.bridge, ...change.local })
        break
      case 'localRemoved':
        assert.ok(this.locals.delete(change.local.iface), 'no local port')
        break
      case 'attachment':
        this.#attach(change.attachment)
        this.#change(change.port, ({ port }) => ({ port, attachment: change.attachment }))
        break
      case 'adminState':
      case 'rxAffinity':
      case 'egressShaper': {
        const { type, port: name, ...value } = change
        this.#change(name, ({ port, attachment }) => {
          const changed = { ...port, ...value }
          if (changed.egressShaper === undefined) delete changed.egressShaper
          return { port: changed, attachment }
        })
        break
      }
      case 'bridgeSettings':
        this.#set(change.bridge, change.settings)
        break
      case 'tableSize':
        this.#set(change.bridge, { tableSize: change.tableSize })
        break
      case 'meters':
        this.#set(change.bridge, { meters: change.meters })
        this.#checkMeters(change.bridge)
        break
      case 'flows': {
        const { flows } = this.#bridge(change.bridge)
        for (const rule of change.delete)
          assert.equal(flows.delete(rule, { strict: true }), 1, `no rule ${rule}`)
        flows.add(...change.add)
        this.#bridge(change.bridge).given = change.given
        this.#checkMeters(change.bridge)
        break
      }
      case 'program':
        this.#set(change.bridge, { program: change.program })
        break
      case 'lcoreAdded':
        assert.ok(!this.lcores.has(change.lcore.name), 'lcore is there')
        this.lcores.set(change.lcore.name, change.lcore)
        break
      case 'lcoreRemoved':
        assert.ok(this.lcores.delete(change.lcore), 'no lcore')
        break
      case 'logging':
        this.logging = change.logging
        break
      case 'metrics':
        this.metrics = change.metrics
    }
  }

  #bridge(name: string): ModelBridge {
    const bridge = this.bridges.get(name)
    assert.ok(bridge, `no bridge ${name}`)
    return bridge
  }

  #set(name: string, changes: Partial<BridgeSpec>): void {
    const bridge = this.#bridge(name)
    bridge.spec = { ...bridge.spec, ...changes }
  }

  #attach({ bridge }: AttachmentSpec): void {
    this.#bridge(bridge)
  }

  #free(name: string): void {
    assert.ok(!this.ports.has(name) && !this.locals.has(name), `port ${name} is there`)
  }

  #change(name: string, to: (port: SwitchPortSpec) => SwitchPortSpec): void {
    const port = this.ports.get(name)
    assert.ok(port, `no port ${name}`)
    this.ports.set(name, to(port))
  }

  /** A rule can only name a meter that is there. */
  #checkMeters(name: string): void {
    const { flows, spec } = this.#bridge(name)
    for (const { actions } of flows.dump()) {
      const [, id] = /meter:(\d+)/.exec(actions) ?? []
      assert.ok(
        id === undefined || spec.meters.some((meter) => meter.id === Number(id)),
        'no meter',
      )
    }
  }
}

function isOf(local: unknown, bridge: string): boolean {
  return (local as { bridge: string }).bridge === bridge
}
