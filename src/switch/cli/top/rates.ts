import type { LcoreView, PortView, StatsView } from '../../control.js'
import type { BridgeFlow, Look } from './look.js'

/** What happened between two looks, a second: also what `vswitch top --json` prints. */
export interface TopView {
  /** Seconds between the two. */
  readonly seconds: number
  readonly version: string
  readonly pid: number
  /** Seconds since the switch started. */
  readonly uptime: number
  readonly ports: readonly PortRates[]
  readonly lcores: readonly LcoreRates[]
  readonly flows: readonly FlowRates[]
  /** Rules of all bridges, of which `flows` may be a part. */
  readonly rules: number
}

export interface Rates {
  readonly frames: number
  readonly bits: number
}

export interface PortRates {
  readonly name: string
  readonly bridge: string
  readonly state: PortView['state']
  readonly rx: Rates
  readonly tx: Rates
  /** Frames from it or for it that were dropped. */
  readonly drops: number
}

export interface LcoreRates {
  readonly name: string
  /** Share of its time, 0 to 1. */
  readonly busy: number
  readonly frames: number
  /** Of its busy time; undefined without frames. */
  readonly cyclesPerFrame: number | undefined
  readonly rxQueues: number
}

export interface FlowRates extends Rates {
  readonly bridge: string
  readonly table: number
  readonly priority: number
  readonly cookie: string
  readonly match: string
  readonly actions: string
}

/** @returns undefined where there is nothing to compare: another process than before */
export function ratesOf(before: Look, now: Look): TopView | undefined {
  if (before.show.pid !== now.show.pid) return undefined
  const seconds = (now.at - before.at) / 1000
  if (!(seconds > 0)) return undefined
  const { version, pid, uptime, bridges } = now.show
  const per = (from: number | undefined, to: number) => grown(from, to) / seconds
  const lcores = new Map(before.lcores.map((lcore) => [lcore.name, lcore]))
  const flows = new Map(before.flows.map((flow) => [keyOf(flow), flow]))
  return {
    seconds,
    version,
    pid,
    uptime,
    ports: bridges.flatMap(({ ports }) =>
      ports.flatMap((port) => {
        const counters = now.stats.ports[port.name]
        if (counters === undefined) return []
        return portRates(port, before.stats.ports[port.name] ?? counters, counters, per)
      }),
    ),
    lcores: now.lcores.map((lcore) => lcoreRates(lcores.get(lcore.name), lcore, per)),
    flows: now.flows.map((flow) => flowRates(flows.get(keyOf(flow)) ?? flow, flow, per)),
    rules: bridges.reduce((sum, { rules }) => sum + rules, 0),
  }
}

/** What a counter has counted since; one that began anew counts from zero. */
function grown(from = 0, to: number): number {
  return to >= from ? to - from : to
}

type Per = (from: number | undefined, to: number) => number
type PortStats = StatsView['ports'][string]

function portRates(
  { name, bridge, state }: PortView,
  before: PortStats,
  now: PortStats,
  per: Per,
): PortRates {
  const direction = (key: 'rx' | 'tx'): Rates => ({
    frames: per(before[key].frames, now[key].frames),
    bits: 8 * per(before[key].bytes, now[key].bytes),
  })
  const drops = per(dropsOf(before), dropsOf(now))
  return { name, bridge, state, rx: direction('rx'), tx: direction('tx'), drops }
}

/** What guards drop is among what the program left, but for what they drop on its way out. */
function dropsOf({ rx, tx }: PortStats): number {
  return [rx, tx]
    .flatMap((counters) => Object.entries(counters))
    .filter(([name]) => name.startsWith('dropped'))
    .reduce((sum, [, count]) => sum + count, 0)
}

function lcoreRates(before: LcoreView | undefined, now: LcoreView, per: Per): LcoreRates {
  const of = (key: 'frames' | 'busyCycles' | 'totalCycles') =>
    per(before?.counters[key], now.counters[key])
  const [frames, busy, total] = [of('frames'), of('busyCycles'), of('totalCycles')]
  return {
    name: now.name,
    busy: total > 0 ? busy / total : 0,
    frames,
    cyclesPerFrame: frames > 0 ? busy / frames : undefined,
    rxQueues: now.rxQueues.length,
  }
}

function flowRates(before: BridgeFlow, now: BridgeFlow, per: Per): FlowRates {
  const { bridge, table, priority, cookie, match, actions } = now
  const frames = per(before.packets, now.packets)
  const bits = 8 * per(before.bytes, now.bytes)
  return { bridge, table, priority, cookie, match, actions, frames, bits }
}

function keyOf({ bridge, table, priority, match }: BridgeFlow): string {
  return `${bridge} ${table} ${priority} ${match}`
}
