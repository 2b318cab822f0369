import type { PortCounters } from '../../src/counters/counters.js'

/**
 * Frames that ports took and that were not delivered, by the counters of drops: the difference between what was taken and
 * what was sent would also be that between the times at which ports are asked.
 */
export function droppedBy(ports: readonly PortCounters[]): number {
  let sum = 0
  for (const { rx, tx } of ports) {
    for (const [name, frames] of [...Object.entries(rx), ...Object.entries(tx)])
      if (name.startsWith('dropped')) sum += frames
  }
  return sum
}
