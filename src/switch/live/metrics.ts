import { Counter, Gauge, type LabelValues, Registry } from 'prom-client'
import type { BridgeCounters } from '../bridge/index.js'
import type { LcoreView, StatsView, SwitchView } from '../control.js'

/** What a scrape looks at, all of one moment. */
export interface MetricsSnapshot {
  readonly show: SwitchView
  readonly stats: StatsView
  readonly lcores: readonly LcoreView[]
  /** Ticks of the lcores' clock. */
  readonly cyclesPerSecond: number
}

/** The states a port can be in, as label values. */
const PORT_STATES = [
  'closed',
  'connecting',
  'listening',
  'connected',
  'ready',
  'stopped',
  'disconnected',
  'failed',
] as const

/** What a metric is made from. */
type Definition = [
  name: string,
  help: string,
  labelNames: string[],
  sample: (snapshot: MetricsSnapshot) => readonly Sample[],
]

type Sample = readonly [labels: LabelValues<string>, value: number]

/**
 * The metrics of a switch for Prometheus: base units, totals that only grow. They are read from counters that lcores keep
 * anyway when somebody asks, so asking disturbs no lcore.
 */
export class SwitchMetrics {
  readonly #registry = new Registry()
  readonly #take: () => Promise<MetricsSnapshot>
  #snapshot: MetricsSnapshot | undefined

  /** @param take - reads all counters */
  constructor(take: () => Promise<MetricsSnapshot>) {
    this.#take = take
    this.#definePorts()
    this.#defineLcores()
    this.#defineBridges()
  }

  /** In Prometheus' text format. */
  async text(): Promise<string> {
    this.#snapshot = await this.#take()
    return this.#registry.metrics()
  }

  #definePorts(): void {
    this.#gauge('vswitch_info', 'Versions, in labels', ['version', 'dpdk_version'], ({ show }) => [
      [{ version: show.version, dpdk_version: show.dpdkVersion }, 1],
    ])
    this.#gauge('vswitch_uptime_seconds', 'Time since the start', [], ({ show }) => [
      [{}, show.uptime],
    ])
    this.#gauge('vswitch_ports', 'Ports of a bridge', ['bridge'], ({ show }) =>
      show.bridges.map(({ name, ports }) => [{ bridge: name }, ports.length]),
    )
    this.#gauge(
      'vswitch_port_state',
      'Whether a port is in a state: 1 for the one it is in',
      ['port', 'state'],
      ({ show }) =>
        portsOf(show).flatMap(({ name, state }) =>
          PORT_STATES.map((other) => [{ port: name, state: other }, Number(state === other)]),
        ),
    )
    this.#counter(
      'vswitch_port_connections_total',
      'Connections of a port, or times its link went up',
      ['port'],
      ({ show }) => portsOf(show).map(({ name, status }) => [{ port: name }, status.generation]),
    )
    for (const [direction, does, did] of [
      ['rx', 'receive', 'received'],
      ['tx', 'transmit', 'sent'],
    ] as const) {
      this.#counter(
        `vswitch_port_${does}_frames_total`,
        `Frames that a port ${did}`,
        ['port', 'bridge'],
        (snapshot) => ofPorts(snapshot, (port) => [[{}, port[direction].frames]]),
      )
      this.#counter(
        `vswitch_port_${does}_bytes_total`,
        `Bytes of the frames that a port ${did}`,
        ['port', 'bridge'],
        (snapshot) => ofPorts(snapshot, (port) => [[{}, port[direction].bytes]]),
      )
      this.#counter(
        `vswitch_port_${does}_dropped_frames_total`,
        direction === 'rx'
          ? 'Frames from a port that were dropped before they reached another'
          : 'Frames for a port that it did not send',
        ['port', 'bridge', 'reason'],
        (snapshot) => ofPorts(snapshot, (port) => drops(port[direction])),
      )
    }
    this.#counter(
      'vswitch_port_transmit_retries_total',
      'Times a full ring of a guest was tried again',
      ['port', 'bridge'],
      (snapshot) => ofPorts(snapshot, (port) => [[{}, port.tx.retries]]),
    )
    this.#counter(
      'vswitch_port_guard_dropped_frames_total',
      'Frames that policers, port security, VLANs, storm limits and the loop guard of a port dropped',
      ['port', 'bridge', 'reason'],
      (snapshot) =>
        ofPorts(snapshot, ({ guards }) =>
          Object.entries(guards).map(([reason, value]) => [{ reason: snake(reason) }, value]),
        ),
    )
  }

  #defineLcores(): void {
    const define = (
      name: string,
      help: string,
      value: (lcore: LcoreView, cyclesPerSecond: number) => number,
    ) =>
      this.#counter(`vswitch_lcore_${name}`, help, ['lcore'], ({ lcores, cyclesPerSecond }) =>
        lcores.map((lcore) => [{ lcore: lcore.name }, value(lcore, cyclesPerSecond)]),
      )
    define(
      'busy_seconds_total',
      'Time an lcore spent on frames: receiving, the program, sending',
      ({ counters }, hertz) => counters.busyCycles / hertz,
    )
    define(
      'seconds_total',
      'Time since an lcore started',
      ({ counters }, hertz) => counters.totalCycles / hertz,
    )
    define('polls_total', 'Polls of an lcore', ({ counters }) => counters.polls)
    define(
      'empty_polls_total',
      'Polls of an lcore that found no frame',
      ({ counters }) => counters.emptyPolls,
    )
    define('sleeps_total', 'Times an lcore went to sleep', ({ counters }) => counters.sleeps)
    this.#gauge(
      'vswitch_lcore_rx_queues',
      'Rx queues that an lcore polls',
      ['lcore'],
      ({ lcores }) => lcores.map(({ name, rxQueues }) => [{ lcore: name }, rxQueues.length]),
    )
  }

  #defineBridges(): void {
    const gauge = (
      name: string,
      help: string,
      value: (bridge: SwitchView['bridges'][number]) => number,
    ) =>
      this.#gauge(`vswitch_bridge_${name}`, help, ['bridge'], ({ show }) =>
        show.bridges.map((bridge) => [{ bridge: bridge.name }, value(bridge)]),
      )
    gauge('macs', 'Addresses in the table of a bridge', ({ macs }) => macs.size)
    gauge('macs_limit', 'Most addresses in the table of a bridge', ({ macs }) => macs.limit)
    gauge('flow_rules', 'Rules of a bridge', ({ rules }) => rules)
    gauge(
      'program_aside',
      'Whether the program of a bridge was put aside: 1 if so',
      ({ program }) => Number(program?.aside ?? false),
    )
    const counter = (name: string, help: string, key: keyof BridgeCounters) =>
      this.#counter(`vswitch_bridge_${name}_total`, help, ['bridge'], ({ stats }) =>
        Object.entries(stats.bridges).map(([bridge, counters]) => [{ bridge }, counters[key] ?? 0]),
      )
    counter('macs_learned', 'Addresses that a bridge learnt', 'learned')
    counter('mac_moves', 'Times an address appeared on another port', 'moves')
    counter('mac_flaps', 'Times an address was held because it moved too often', 'flaps')
    counter('macs_evicted', 'Addresses forgotten to make room', 'evictions')
    counter('macs_expired', 'Addresses that were not seen for the ageing time', 'expired')
    counter('cut_floods', 'Floods that lacked receivers for want of a frame', 'cutFloods')
    counter('lost_notices', 'Notices of moves and flaps that found no room', 'lostNotices')
    this.#counter(
      'vswitch_bridge_program_errors_total',
      'Bursts that the program of a bridge lost by throwing',
      ['bridge'],
      ({ show }) =>
        show.bridges.flatMap(({ name, program }) =>
          program === undefined ? [] : [[{ bridge: name }, program.errors] as const],
        ),
    )
  }

  #gauge(...definition: Definition): void {
    this.#define(Gauge, ...definition)
  }

  #counter(...definition: Definition): void {
    this.#define(Counter, ...definition)
  }

  #define(Metric: typeof Gauge | typeof Counter, ...definition: Definition): void {
    const [name, help, labelNames, sample] = definition
    const metric = new Metric({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      // What is counted is elsewhere; this only shows it.
      collect: () => {
        metric.reset()
        const snapshot = this.#snapshot
        if (snapshot) for (const [labels, value] of sample(snapshot)) metric.inc(labels, value)
      },
    })
  }
}

function portsOf(show: SwitchView) {
  return show.bridges.flatMap(({ ports }) => ports)
}

function ofPorts(
  { show, stats }: MetricsSnapshot,
  sample: (counters: StatsView['ports'][string]) => readonly Sample[],
): Sample[] {
  return portsOf(show).flatMap(({ name, bridge }) => {
    const counters = stats.ports[name]
    if (counters === undefined) return []
    return sample(counters).map(
      ([labels, value]): Sample => [{ port: name, bridge, ...labels }, value],
    )
  })
}

/** Counters called `droppedRingFull` and the like, by their reason. */
function drops(counters: object): Sample[] {
  return Object.entries(counters as Record<string, number>)
    .filter(([name]) => name.startsWith('dropped'))
    .map(([name, value]) => [{ reason: snake(name.slice('dropped'.length)) }, value])
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter, at) => (at > 0 ? '_' : '') + letter.toLowerCase())
}
