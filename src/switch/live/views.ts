/**
 * What can be seen of a running switch: pure functions from live objects to the views of `control.ts`.
 *
 * @packageDocumentation
 */
import { createRequire } from 'node:module'
import type { Datapath } from 'dpdk-vhost'
import type { FlowStatus } from 'dpdk-vhost/programs/flow-table/book'
import { bridgeCounters, bridgePortCounters, macEntries } from '../bridge/index.js'
import type {
  BridgeView,
  FlowView,
  GuardCounters,
  LcoreView,
  MacView,
  PortView,
  ProgramView,
  StatsView,
} from '../control.js'
import { readGuardCounters } from '../guards/memory.js'
import { readMirrorCounters } from '../guards/mirror-counters.js'
import type { LcoreSpec } from '../spec.js'
import type { BridgeState, LoadedProgram } from './bridges.js'
import type { LivePort } from './ports.js'
import type { ProgramStatus } from './program-status.js'

/** Version of this package. */
export const version: string = (
  createRequire(import.meta.url)('dpdk-vhost/package.json') as { version: string }
).version

export function portView({ spec: { port: spec, attachment }, port }: LivePort): PortView {
  const { bridge, vlanMode, tag, trunks } = attachment
  return {
    id: port.id,
    name: port.name,
    bridge,
    type: port.type,
    path: spec.type === 'dpdk' ? spec.devargs : spec.path,
    role: port.role,
    state: port.status.state,
    status: port.status,
    vlanMode,
    tag,
    trunks,
    mtu: port.spec.mtu ?? 1500,
    queues: spec.type === 'dpdk' ? spec.rxQueues : spec.queues,
  }
}

export function bridgeView(
  { spec, flows, program, memory, mirrorCounters }: BridgeState,
  ports: readonly PortView[],
  status: ProgramStatus | undefined,
): BridgeView {
  const { size, moves, flaps } = bridgeCounters(memory)
  return {
    name: spec.name,
    decides: program ? 'program' : flows ? 'flows' : 'normal',
    rules: flows?.size ?? 0,
    program: program && programView(program, status),
    macs: { size, limit: spec.tableSize, moves, flaps },
    mirrors: spec.mirrors.map(({ name, outputPort, outputVlan, snaplen }) => ({
      name,
      outputPort,
      outputVlan,
      snaplen,
      ...readMirrorCounters(mirrorCounters.get(name)!),
    })),
    ports,
  }
}

export function programView(
  { file, loadedAt }: LoadedProgram,
  { aside, errors }: ProgramStatus = { aside: false, errors: 0 },
): ProgramView {
  return { file, loadedAt, aside, errors }
}

/** The lcores that run, in the order of the configuration. */
export function lcoreViews(datapath: Datapath, specs: readonly LcoreSpec[]): LcoreView[] {
  const running = new Map([...datapath.lcores].map((lcore) => [lcore.name, lcore]))
  const queues = datapath.rxQueues()
  return specs.flatMap(({ name, cpu }) => {
    const lcore = running.get(name)
    if (lcore === undefined) return []
    const rxQueues = queues
      .filter((queue) => queue.lcore === name)
      .map(({ port, queue, enabled, pinnedTo }) => ({
        port,
        queue,
        enabled,
        pinned: pinnedTo === name,
      }))
    return { name, index: lcore.index, cpu, counters: lcore.counters(), rxQueues }
  })
}

export function statsView(
  bridges: ReadonlyMap<string, BridgeState>,
  ports: readonly LivePort[],
): StatsView {
  return {
    ports: Object.fromEntries(
      ports.map(({ spec, port }) => {
        const guards = guardCounters(bridges.get(spec.attachment.bridge)!, port.id)
        return [port.name, { ...port.counters(), guards }]
      }),
    ),
    bridges: Object.fromEntries(
      Array.from(bridges, ([name, { memory }]) => [name, { ...bridgeCounters(memory) }]),
    ),
    mirrors: [...bridges].flatMap(([bridge, { mirrorCounters }]) =>
      Array.from(mirrorCounters, ([name, own]) => ({ bridge, name, ...readMirrorCounters(own) })),
    ),
  }
}

/** What the guards of a bridge dropped of a port. */
export function guardCounters({ guards, memory }: BridgeState, portId: number): GuardCounters {
  const { ingressPoliced, portSecurity, egressPoliced } = readGuardCounters(guards, portId)
  const { vlan, storm, loop } = bridgePortCounters(memory, portId)
  // Names, not `...`: that is slow, and a scrape does it for hundreds of ports.
  return { ingressPoliced, portSecurity, egressPoliced, vlan, storm, loop }
}

export function macViews({ memory, spec }: BridgeState, ports: readonly LivePort[]): MacView[] {
  const names = new Map(ports.map(({ port }) => [port.id, port.name]))
  return macEntries(memory, names, spec.ageing)
}

export function flowView({ cookie, ...flow }: FlowStatus): FlowView {
  return { ...flow, cookie: `0x${cookie.toString(16)}` }
}
