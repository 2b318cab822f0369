/**
 * What has to be done to make one switch another. What stays the same does not appear.
 *
 * @packageDocumentation
 */
import { isDeepStrictEqual } from 'node:util'
import type { AdminState, EgressShaperSpec, FlowMeter, FlowRule, RxAffinity } from 'dpdk-vhost'
import type {
  AttachmentSpec,
  BridgeSpec,
  LcoreSpec,
  LocalPort,
  LoggingSpec,
  MetricsSpec,
  ProgramSpec,
  SwitchPortSpec,
  SwitchSpec,
} from '../spec.js'
import { flowDifference } from './flow-difference.js'

/** What of a bridge can be changed at any time. */
export type BridgeSettings = Pick<
  BridgeSpec,
  'ageing' | 'forwardBpdu' | 'staticMacs' | 'stormLimit' | 'loopGuard' | 'mirrors'
>

/** One thing to do. */
export type Change =
  /** With its rules, meters and program, but without its local port: that comes by itself. */
  | { readonly type: 'bridgeAdded'; readonly bridge: BridgeSpec }
  /** Nothing is in it any more. */
  | { readonly type: 'bridgeRemoved'; readonly bridge: string }
  /** `remade`: it comes back, with other options. */
  | { readonly type: 'portRemoved'; readonly port: string; readonly remade: boolean }
  | { readonly type: 'portAdded'; readonly port: SwitchPortSpec; readonly remade: boolean }
  | {
      readonly type: 'localRemoved'
      readonly bridge: string
      readonly local: LocalPort
      readonly remade: boolean
    }
  | {
      readonly type: 'localAdded'
      readonly bridge: string
      readonly local: LocalPort
      readonly remade: boolean
    }
  /** How a port takes part, or in which bridge. */
  | { readonly type: 'attachment'; readonly port: string; readonly attachment: AttachmentSpec }
  | { readonly type: 'adminState'; readonly port: string; readonly adminState: AdminState }
  | { readonly type: 'rxAffinity'; readonly port: string; readonly rxAffinity: RxAffinity }
  /** Undefined: none. */
  | {
      readonly type: 'egressShaper'
      readonly port: string
      readonly egressShaper: EgressShaperSpec | undefined
    }
  | { readonly type: 'bridgeSettings'; readonly bridge: string; readonly settings: BridgeSettings }
  /** A table of addresses of another size; what was learnt is forgotten. */
  | { readonly type: 'tableSize'; readonly bridge: string; readonly tableSize: number }
  /** All meters that are to be there. Before and after `flows` where rules that go name meters that go. */
  | { readonly type: 'meters'; readonly bridge: string; readonly meters: readonly FlowMeter[] }
  | FlowsChange
  /** Undefined: none. */
  | { readonly type: 'program'; readonly bridge: string; readonly program: ProgramSpec | undefined }
  | { readonly type: 'lcoreAdded'; readonly lcore: LcoreSpec; readonly remade: boolean }
  | { readonly type: 'lcoreRemoved'; readonly lcore: string; readonly remade: boolean }
  | { readonly type: 'logging'; readonly logging: LoggingSpec }
  | { readonly type: 'metrics'; readonly metrics: MetricsSpec | undefined }

/** Rules that the configuration had and has no more, and those that are new. Others, added by hand, stay. */
export interface FlowsChange {
  readonly type: 'flows'
  readonly bridge: string
  /** Whether the configuration says what the bridge's rules are; if not and none are left, it switches. */
  readonly given: boolean
  /** Selections in the words of `ovs-ofctl`, to be taken strictly. */
  readonly delete: readonly string[]
  /** One with the table, priority and match of a rule that is there takes its place. */
  readonly add: readonly (string | FlowRule)[]
}

/** What a reload does. */
export interface Difference {
  /** In an order in which each can be done. */
  readonly changes: readonly Change[]
  /** What only a restart can do: `datapath.memoryMiB: needs a restart`. */
  readonly pending: readonly string[]
}

/** What makes a switch that is as `from` says as `to` says. */
export function difference(from: SwitchSpec, to: SwitchSpec): Difference {
  const before = new Map(from.bridges.map((bridge) => [bridge.name, bridge]))
  const after = new Map(to.bridges.map((bridge) => [bridge.name, bridge]))
  const kept = to.bridges.flatMap((bridge) => {
    const old = before.get(bridge.name)
    return old === undefined ? [] : [{ from: old, to: bridge }]
  })
  const ports = portsDifference(from.ports, to.ports)
  const locals = localsDifference(before, to.bridges, from.bridges)
  const lcores = lcoresDifference(from.lcores, to.lcores)
  const changes: Change[] = [
    ...to.bridges
      .filter(({ name }) => !before.has(name))
      .map((bridge): Change => ({ type: 'bridgeAdded', bridge })),
    // All that go before any that comes: one may take the socket or the name of another.
    ...ports.removed,
    ...locals.removed,
    ...locals.added,
    ...ports.added,
    ...ports.changed,
    ...from.bridges
      .filter(({ name }) => !after.has(name))
      .map(({ name }): Change => ({ type: 'bridgeRemoved', bridge: name })),
    ...kept.flatMap((pair) => bridgeDifference(pair.from, pair.to)),
    ...lcores,
    ...differ('logging', from, to, { type: 'logging', logging: to.logging }),
    ...differ('metrics', from, to, { type: 'metrics', metrics: to.metrics }),
  ]
  return { changes, pending: pendingOf(from, to) }
}

/** What makes a port another of the same name. */
export function portChanges(from: SwitchPortSpec, to: SwitchPortSpec): Change[] {
  const name = to.port.name
  if (!isDeepStrictEqual(withoutLive(from), withoutLive(to))) {
    return [
      { type: 'portRemoved', port: name, remade: true },
      { type: 'portAdded', port: to, remade: true },
    ]
  }
  const { adminState, rxAffinity, egressShaper } = to.port
  const { attachment } = to
  return [
    ...differ('attachment', from, to, { type: 'attachment', port: name, attachment }),
    ...differ('rxAffinity', from.port, to.port, { type: 'rxAffinity', port: name, rxAffinity }),
    ...differ('egressShaper', from.port, to.port, {
      type: 'egressShaper',
      port: name,
      egressShaper,
    }),
    ...differ('adminState', from.port, to.port, { type: 'adminState', port: name, adminState }),
  ]
}

/** The options of a port that it has to be made anew for. */
function withoutLive({ port }: SwitchPortSpec): object {
  const { adminState, rxAffinity, egressShaper, ...rest } = port
  return defined(rest)
}

/** Keys that are there and undefined are as good as not there. */
function defined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined))
}

function differ<K extends string>(
  key: K,
  from: { readonly [P in K]?: unknown },
  to: { readonly [P in K]?: unknown },
  change: Change,
): Change[] {
  return isDeepStrictEqual(from[key], to[key]) ? [] : [change]
}

function portsDifference(from: readonly SwitchPortSpec[], to: readonly SwitchPortSpec[]) {
  const before = new Map(from.map((port) => [port.port.name, port]))
  const after = new Set(to.map(({ port }) => port.name))
  const removed: Change[] = from
    .filter(({ port }) => !after.has(port.name))
    .map(({ port }) => ({ type: 'portRemoved', port: port.name, remade: false }))
  const added: Change[] = []
  const changed: Change[] = []
  for (const port of to) {
    const old = before.get(port.port.name)
    const changes: Change[] =
      old === undefined ? [{ type: 'portAdded', port, remade: false }] : portChanges(old, port)
    for (const change of changes) {
      if (change.type === 'portRemoved') removed.push(change)
      else if (change.type === 'portAdded') added.push(change)
      else changed.push(change)
    }
  }
  return { removed, added, changed }
}

function localsDifference(
  before: ReadonlyMap<string, BridgeSpec>,
  to: readonly BridgeSpec[],
  from: readonly BridgeSpec[],
) {
  const after = new Map(to.map((bridge) => [bridge.name, bridge]))
  const removed = from.flatMap(({ name, local }): Change[] => {
    const next = after.get(name)?.local
    if (local === undefined || isDeepStrictEqual(local, next)) return []
    return [{ type: 'localRemoved', bridge: name, local, remade: next !== undefined }]
  })
  const added = to.flatMap(({ name, local }): Change[] => {
    const old = before.get(name)?.local
    if (local === undefined || isDeepStrictEqual(local, old)) return []
    return [{ type: 'localAdded', bridge: name, local, remade: old !== undefined }]
  })
  return { removed, added }
}

function bridgeDifference(from: BridgeSpec, to: BridgeSpec): Change[] {
  const bridge = to.name
  const settings = settingsOf(to)
  const rules = flowDifference(from.flows ?? [], to.flows ?? [])
  const given = to.flows !== undefined
  const flowsDiffer =
    given !== (from.flows !== undefined) || rules.add.length > 0 || rules.delete.length > 0
  const flows: Change[] = flowsDiffer ? [{ type: 'flows', bridge, given, ...rules }] : []
  return [
    ...(isDeepStrictEqual(settingsOf(from), settings)
      ? []
      : [{ type: 'bridgeSettings', bridge, settings } as const]),
    ...differ('tableSize', from, to, { type: 'tableSize', bridge, tableSize: to.tableSize }),
    ...aroundMeters(from, to, flows),
    ...differ('program', from, to, { type: 'program', bridge, program: to.program }),
  ]
}

/** Meters are there as long as rules name them. */
function aroundMeters(from: BridgeSpec, to: BridgeSpec, flows: readonly Change[]): Change[] {
  const ids = new Set(to.meters.map(({ id }) => id))
  const going = from.meters.filter(({ id }) => !ids.has(id))
  const meters = (list: readonly FlowMeter[]): Change => ({
    type: 'meters',
    bridge: to.name,
    meters: list,
  })
  if (flows.length === 0) return differ('meters', from, to, meters(to.meters))
  const meanwhile = [...to.meters, ...going]
  return [
    ...(sameMeters(from.meters, meanwhile) ? [] : [meters(meanwhile)]),
    ...flows,
    ...(going.length > 0 ? [meters(to.meters)] : []),
  ]
}

function sameMeters(a: readonly FlowMeter[], b: readonly FlowMeter[]): boolean {
  const sorted = (all: readonly FlowMeter[]) => [...all].sort((x, y) => x.id - y.id)
  return isDeepStrictEqual(sorted(a), sorted(b))
}

function settingsOf(bridge: BridgeSpec): BridgeSettings {
  const { ageing, forwardBpdu, staticMacs, stormLimit, loopGuard, mirrors } = bridge
  return { ageing, forwardBpdu, staticMacs, stormLimit, loopGuard, mirrors }
}

/** New ones first: queues are polled at any time. */
function lcoresDifference(from: readonly LcoreSpec[], to: readonly LcoreSpec[]): Change[] {
  const before = new Map(from.map((lcore) => [lcore.name, lcore]))
  const after = new Set(to.map(({ name }) => name))
  const added = to.filter(({ name }) => !before.has(name))
  const remade = to.filter((lcore) => {
    const old = before.get(lcore.name)
    return old !== undefined && !isDeepStrictEqual(defined(old), defined(lcore))
  })
  const removed = from.filter(({ name }) => !after.has(name))
  return [
    ...added.map((lcore): Change => ({ type: 'lcoreAdded', lcore, remade: false })),
    ...remade.flatMap((lcore): Change[] => [
      { type: 'lcoreRemoved', lcore: lcore.name, remade: true },
      { type: 'lcoreAdded', lcore, remade: true },
    ]),
    ...removed.map(({ name }): Change => ({ type: 'lcoreRemoved', lcore: name, remade: false })),
  ]
}

function pendingOf(from: SwitchSpec, to: SwitchSpec): string[] {
  const keys = <S extends 'datapath' | 'admin'>(section: S) =>
    (Object.keys(to[section]) as (keyof SwitchSpec[S] & string)[])
      .filter((key) => !isDeepStrictEqual(from[section][key], to[section][key]))
      .map((key) => `${section}.${key}: needs a restart`)
  return [...keys('datapath'), ...keys('admin')]
}
