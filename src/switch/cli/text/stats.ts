import type { StatsView } from '../../control.js'
import { counted } from '../../counted.js'
import type { Paint } from './paint.js'

type PortStats = StatsView['ports'][string]

/** Errors of a program, not drops that are meant. */
const RX_ERRORS = [
  'droppedBadVerdict',
  'droppedBadOffset',
  'droppedNoSuchPort',
  'droppedProgramError',
] as const

/** In the layout of `ovs-ofctl dump-ports`; under it why frames were dropped, where any were. */
export function statsText({ ports, bridges, mirrors }: StatsView, paint: Paint): string {
  const entries = Object.entries(ports)
  return [
    counted(entries.length, 'port'),
    ...entries.map(([name, stats]) => portText(name, stats, paint)),
    ...Object.entries(bridges).map(([name, counters]) => bridgeText(name, counters, paint)),
    ...mirrors.map(
      ({ bridge, name, frames, bytes }) =>
        `  mirror ${paint('heading', `"${name}"`)} of bridge "${bridge}": tx pkts=${frames}, bytes=${bytes}`,
    ),
  ].join('\n')
}

function portText(name: string, { rx, tx, guards }: PortStats, paint: Paint): string {
  const errors = RX_ERRORS.reduce((sum, counter) => sum + rx[counter], 0)
  const rxDrops = dropsOf(rx)
  const txDrops = dropsOf(tx)
  const guarded = Object.entries(guards)
    .filter(([, count]) => count > 0)
    .map(([guard, count]) => [snake(guard), count] as const)
  const why = (direction: string, drops: readonly (readonly [string, number])[]) =>
    drops.length === 0
      ? []
      : [`           ${direction} drops: ${drops.map((drop) => drop.join('=')).join(', ')}`]
  return [
    `  port ${paint('heading', `"${name}"`)}: rx pkts=${rx.frames}, bytes=${rx.bytes}, drop=${total(rxDrops)}, errs=${errors}, over=${rx.droppedOversize}`,
    `           tx pkts=${tx.frames}, bytes=${tx.bytes}, drop=${total(txDrops)}, errs=0, retries=${tx.retries}`,
    ...why('rx', rxDrops),
    ...why('tx', txDrops),
    ...why('guard', guarded),
  ].join('\n')
}

/** Counters of drops that are not zero: `ring_full=3` for `droppedRingFull: 3`. */
function dropsOf(counters: object): (readonly [string, number])[] {
  return Object.entries(counters as Record<string, number>)
    .filter(([name, count]) => name.startsWith('dropped') && count > 0)
    .map(([name, count]) => [snake(name.slice('dropped'.length)), count])
}

function bridgeText(
  name: string,
  counters: Readonly<Record<string, number>>,
  paint: Paint,
): string {
  const list = Object.entries(counters).map(([counter, count]) => `${snake(counter)}=${count}`)
  return `  bridge ${paint('heading', `"${name}"`)}: ${list.join(', ')}`
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter, at) => (at > 0 ? '_' : '') + letter.toLowerCase())
}

function total(drops: readonly (readonly [string, number])[]): number {
  return drops.reduce((sum, [, count]) => sum + count, 0)
}
