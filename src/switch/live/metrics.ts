import { readdirSync, statSync } from 'node:fs'
import type { Datapath } from 'dpdk-vhost'
import {
  DatapathMetrics,
  type LabelValues,
  type MetricDefinition,
  MetricSet,
  snakeCase,
} from 'dpdk-vhost/metrics'
import type { FlowStatus, FlowTableStats } from 'dpdk-vhost/programs/flow-table/book'
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { BridgeCounters } from '../bridge/index.js'
import type { GuardCounters, MirrorCounters, SwitchView } from '../control.js'

/** What a switch knows beyond its datapath, all of one moment. */
export interface SwitchSnapshot {
  readonly show: SwitchView
  readonly ready: boolean
  /** Milliseconds since the epoch at which it started. */
  readonly startedAt: number
  /** Of each port by name. */
  readonly guards: ReadonlyMap<string, GuardCounters>
  /** Of each bridge by name. */
  readonly bridges: ReadonlyMap<string, BridgeSnapshot>
}

export interface BridgeSnapshot {
  readonly counters: BridgeCounters
  readonly programErrors: number
  /** Rules with a cookie, the first thousand: there may be a million rules. */
  readonly rules: readonly FlowStatus[]
  /** Frames that no rule decided; undefined for a bridge without rules. */
  readonly others: FlowTableStats['others'] | undefined
}

type Definition = MetricDefinition<SwitchSnapshot>
type Collect = (
  snapshot: SwitchSnapshot,
  add: (value: number, ...labels: LabelValues) => void,
) => void

function gauge(
  name: string,
  help: string,
  labels: readonly string[],
  collect: Collect,
): Definition {
  return define('gauge', name, help, labels, collect)
}

function counter(...[name, ...about]: Parameters<typeof gauge>): Definition {
  return define('counter', `${name}_total`, ...about)
}

function define(
  type: 'counter' | 'gauge',
  ...[name, help, labels, collect]: Parameters<typeof gauge>
): Definition {
  return { type, name: `vswitch_${name}`, help, labels, collect }
}

type BridgeView = SwitchView['bridges'][number]

function bridgeGauge(
  name: string,
  help: string,
  value: (bridge: BridgeView) => number,
): Definition {
  return gauge(`bridge_${name}`, help, ['bridge'], ({ show }, add) => {
    for (const bridge of show.bridges) add(value(bridge), bridge.name)
  })
}

function bridgeCounter(
  name: string,
  help: string,
  value: (bridge: BridgeSnapshot) => number,
): Definition {
  return counter(`bridge_${name}`, help, ['bridge'], ({ bridges }, add) => {
    for (const [bridge, own] of bridges) add(value(own), bridge)
  })
}

function mirrorCounter(
  name: string,
  help: string,
  value: (mirror: MirrorCounters) => number,
): Definition {
  return counter(`mirror_${name}`, help, ['bridge', 'mirror'], ({ show }, add) => {
    for (const { name: bridge, mirrors } of show.bridges) {
      for (const mirror of mirrors) add(value(mirror), bridge, mirror.name)
    }
  })
}

function flowCounter(name: string, help: string, value: (rule: FlowStatus) => number): Definition {
  return counter(
    `flow_${name}`,
    `${help}; only rules with a cookie, of each bridge the first thousand`,
    ['bridge', 'table', 'priority', 'match', 'cookie'],
    ({ bridges }, add) => {
      for (const [bridge, { rules }] of bridges) {
        for (const rule of rules) {
          const { table, priority, match, cookie } = rule
          add(value(rule), bridge, table, priority, match, `0x${cookie.toString(16)}`)
        }
      }
    },
  )
}

/** A series for each reason, by which counters of one port or bridge are named. */
function addByReason<Reason extends string>(
  counters: Readonly<Record<Reason, number>>,
  owner: string,
  add: Parameters<Collect>[1],
): void {
  for (const reason in counters) add(counters[reason], owner, snakeCase(reason))
}

/** Metrics of a switch; those of its datapath come beside them. */
export const SWITCH_METRICS: readonly Definition[] = [
  gauge('info', 'Always 1: the version of the switch, in a label', ['version'], ({ show }, add) =>
    add(1, show.version),
  ),
  gauge('start_time_seconds', 'When the switch started, as Unix time', [], ({ startedAt }, add) =>
    add(startedAt / 1000),
  ),
  gauge('ready', 'Whether GET /readyz says so: 1 if so', [], ({ ready }, add) =>
    add(Number(ready)),
  ),
  gauge(
    'port_info',
    'Always 1: the bridge of a port and its VLAN, in labels',
    ['port', 'bridge', 'vlan_mode', 'tag'],
    ({ show }, add) => {
      for (const { ports } of show.bridges) {
        for (const { name, bridge, vlanMode, tag = '' } of ports) {
          add(1, name, bridge, vlanMode, tag)
        }
      }
    },
  ),
  counter(
    'port_guard_dropped_frames',
    'Frames that policers, port security, VLANs, storm limits and the loop guard of a port dropped',
    ['port', 'reason'],
    ({ guards }, add) => {
      for (const [port, counters] of guards) addByReason(counters, port, add)
    },
  ),
  bridgeGauge('ports', 'Ports of a bridge', ({ ports }) => ports.length),
  bridgeGauge('macs', 'Addresses in the table of a bridge', ({ macs }) => macs.size),
  bridgeGauge('macs_limit', 'Most addresses in the table of a bridge', ({ macs }) => macs.limit),
  bridgeCounter('macs_learned', 'Addresses learnt', ({ counters }) => counters.learned),
  bridgeCounter(
    'macs_expired',
    'Addresses not seen for the ageing time',
    (one) => one.counters.expired,
  ),
  bridgeCounter(
    'macs_evicted',
    'Addresses forgotten to make room',
    (one) => one.counters.evictions,
  ),
  bridgeCounter(
    'mac_moves',
    'Times an address appeared on another port',
    (one) => one.counters.moves,
  ),
  bridgeCounter(
    'mac_flaps',
    'Times an address was held as it moved too often',
    (one) => one.counters.flaps,
  ),
  bridgeCounter(
    'cut_floods',
    'Floods that lacked receivers for want of a frame',
    (one) => one.counters.cutFloods,
  ),
  bridgeCounter(
    'lost_notices',
    'Notices of moves and flaps that found no room',
    (one) => one.counters.lostNotices,
  ),
  bridgeGauge(
    'program_aside',
    'Whether the program of a bridge was put aside: 1 if so',
    ({ program }) => Number(program?.aside ?? false),
  ),
  bridgeCounter(
    'program_errors',
    'Bursts that the program of a bridge lost by throwing',
    (one) => one.programErrors,
  ),
  bridgeGauge('flow_rules', 'Rules of a bridge', ({ rules }) => rules),
  mirrorCounter('frames', 'Frames that a mirror sent to its output port', ({ frames }) => frames),
  mirrorCounter('bytes', 'Bytes that a mirror sent to its output port', ({ bytes }) => bytes),
  gauge(
    'bridge_flow_rules_listed',
    'Rules of a bridge that have series',
    ['bridge'],
    ({ bridges }, add) => {
      for (const [bridge, { rules }] of bridges) add(rules.length, bridge)
    },
  ),
  counter(
    'bridge_flow_unmatched_frames',
    'Frames that no rule decided',
    ['bridge', 'reason'],
    ({ bridges }, add) => {
      for (const [bridge, { others }] of bridges) {
        if (others !== undefined) addByReason(others, bridge, add)
      }
    },
  ),
  flowCounter('frames', 'Frames that a rule took', ({ packets }) => packets),
  flowCounter('bytes', 'Bytes that a rule took', ({ bytes }) => bytes),
]

/** Of Node.js' own metrics those that Prometheus would take for counters and that are none. */
const MISNAMED = ['handles', 'requests', 'resources'].map((name) => `nodejs_active_${name}_total`)

/** The metrics of a switch: its datapath's, its own, and those of its process (`process_*`, `nodejs_*`). */
export class SwitchMetrics {
  readonly #parts: readonly (() => Promise<Buffer>)[]

  constructor(datapath: Datapath, take: () => SwitchSnapshot) {
    const ofDatapath = new DatapathMetrics(datapath)
    const own = new MetricSet(SWITCH_METRICS, async () => take())
    const ofProcess = new Registry()
    collectDefaultMetrics({ register: ofProcess })
    for (const name of MISNAMED) ofProcess.removeSingleMetric(name)
    countOpenFilesFast(ofProcess)
    this.#parts = [
      () => ofDatapath.bytes(),
      () => own.bytes(),
      async () => Buffer.from(await ofProcess.metrics()),
    ]
  }

  /** In Prometheus' text format, in UTF-8. */
  async bytes(): Promise<Buffer> {
    return Buffer.concat(await Promise.all(this.#parts.map((bytes) => bytes())))
  }
}

const OPEN_FILES = 'process_open_fds'
const OPEN_FILES_FOLDER = '/proc/self/fd'

/**
 * A port with a guest has several files open, which `prom-client` counts by listing them all: with hundreds of ports that
 * takes as long as their counters do. Kernels since 6.2 tell how many there are.
 */
function countOpenFilesFast(registry: Registry): void {
  const there = registry.getSingleMetric(OPEN_FILES)
  if (there === undefined) return
  registry.removeSingleMetric(OPEN_FILES)
  new Gauge({
    name: OPEN_FILES,
    help: 'Number of open file descriptors.',
    registers: [registry],
    collect() {
      this.set(openFiles())
    },
  })
}

/** Files that this process has open. */
export function openFiles(): number {
  const told = statSync(OPEN_FILES_FOLDER).size
  // One of those listed is that of the list.
  return told > 0 ? told : readdirSync(OPEN_FILES_FOLDER).length - 1
}
