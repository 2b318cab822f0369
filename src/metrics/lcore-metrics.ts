import type { MetricDefinition } from './definition.js'
import { RX_DROPS } from './port-metrics.js'
import type { DatapathSnapshot, LcoreSnapshot } from './snapshot.js'

type Definition = MetricDefinition<DatapathSnapshot>

function counter(
  name: string,
  help: string,
  value: (lcore: LcoreSnapshot, cyclesPerSecond: number) => number,
): Definition {
  return {
    type: 'counter',
    name: `dpdk_vhost_lcore_${name}_total`,
    help,
    labels: ['lcore'],
    collect: ({ lcores, info }, add) => {
      for (const lcore of lcores) add(value(lcore, info.cyclesPerSecond), lcore.name)
    },
  }
}

/** Most frames of the buckets 1, 2-3, 4-7, ..., 128-255; the rest is the last. */
const BURST_BOUNDS = Array.from({ length: 8 }, (_, i) => 2 ** (i + 1) - 1)

export const LCORE_METRICS: readonly Definition[] = [
  counter('starts', 'Times an lcore of that name started', ({ starts }) => starts),
  counter('stuck', 'Times its program did not return from a burst', ({ stuck }) => stuck),
  counter(
    'busy_seconds',
    'Time spent on frames: receiving, the program, sending',
    ({ counters }, hertz) => counters.busyCycles / hertz,
  ),
  counter('seconds', 'Time that it ran', ({ counters }, hertz) => counters.totalCycles / hertz),
  counter('busy_cycles', 'TSC cycles spent on frames', ({ counters }) => counters.busyCycles),
  counter('cycles', 'TSC cycles that it ran', ({ counters }) => counters.totalCycles),
  counter(
    'receive_frames',
    'Frames received from all its rx queues',
    ({ counters }) => counters.frames,
  ),
  counter('polls', 'Polls', ({ counters }) => counters.polls),
  counter('empty_polls', 'Polls that found no frame', ({ counters }) => counters.emptyPolls),
  counter('sleeps', 'Times it went to sleep', ({ counters }) => counters.sleeps),
  {
    type: 'histogram',
    name: 'dpdk_vhost_lcore_burst_size_frames',
    help: 'Frames of a burst',
    labels: ['lcore'],
    collect: ({ lcores }, add) => {
      for (const { name, counters } of lcores) {
        add({ bounds: BURST_BOUNDS, counts: counters.burstSizes, sum: counters.frames }, name)
      }
    },
  },
  counter('made_frames', 'Frames that programs made', ({ counters }) => counters.framesMade),
  counter(
    'unmade_frames',
    'Frames that programs wanted to make and could not: burst or packet memory was full',
    ({ counters }) => counters.framesNotMade,
  ),
  counter(
    'copied_frames',
    'Further receivers of frames, as of floods',
    ({ counters }) => counters.framesCopied,
  ),
  {
    type: 'counter',
    name: 'dpdk_vhost_lcore_made_dropped_frames_total',
    help: 'Frames that programs made and that were dropped before they reached a port',
    labels: ['lcore', 'reason'],
    collect: ({ lcores }, add) => {
      for (const { name, counters } of lcores) {
        for (const { key, reason } of RX_DROPS) add(counters.made[key], name, reason)
      }
    },
  },
  {
    type: 'gauge',
    name: 'dpdk_vhost_rx_queue_info',
    help: 'Always 1: which lcore polls an enabled rx queue',
    labels: ['port', 'queue', 'lcore'],
    collect: ({ rxQueues }, add) => {
      for (const { port, queue, lcore, enabled } of rxQueues) {
        if (enabled && lcore !== undefined) add(1, port, queue, lcore)
      }
    },
  },
]
