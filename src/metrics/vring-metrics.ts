import type { VringStats } from '../datapath/vring-stats.js'
import type { MetricDefinition } from './definition.js'
import type { DatapathSnapshot } from './snapshot.js'

type Definition = MetricDefinition<DatapathSnapshot>

const LABELS = ['port', 'queue', 'direction']

/** A counter of librte for each vring that has it: which it has depends on DPDK's version. */
function counter(name: string, key: string, help: string): Definition {
  return {
    type: 'counter',
    name: `dpdk_vhost_vring_${name}_total`,
    help: `${help}, as librte_vhost counts; of ports with vringStats`,
    labels: LABELS,
    collect: (snapshot, add) => {
      forEachVring(snapshot, ({ counters, queue, direction }, port) => {
        const value = counters.get(key)
        if (value !== undefined) add(value, port, queue, direction)
      })
    },
  }
}

function forEachVring(
  { ports }: DatapathSnapshot,
  work: (vring: VringStats, port: string) => void,
): void {
  for (const { name, vrings } of ports) {
    for (const vring of vrings) work(vring, name)
  }
}

/** librte's counters by size, and the longest frame of each; the last has no bound. */
const SIZES = [
  { key: 'undersize_packets', bound: 63 },
  { key: 'size_64_packets', bound: 64 },
  { key: 'size_65_127_packets', bound: 127 },
  { key: 'size_128_255_packets', bound: 255 },
  { key: 'size_256_511_packets', bound: 511 },
  { key: 'size_512_1023_packets', bound: 1023 },
  { key: 'size_1024_1518_packets', bound: 1518 },
  { key: 'size_1519_max_packets', bound: undefined },
]

const SIZE_BOUNDS = SIZES.flatMap(({ bound }) => bound ?? [])

export const VRING_METRICS: readonly Definition[] = [
  counter('multicast_frames', 'multicast_packets', 'Frames to groups, broadcast not included'),
  counter('broadcast_frames', 'broadcast_packets', 'Frames to all'),
  counter('guest_notifications', 'guest_notifications', 'Interrupts sent to the guest'),
  counter('iotlb_hits', 'iotlb_hits', 'Translations by the IOTLB'),
  counter('iotlb_misses', 'iotlb_misses', 'Translations that the IOTLB lacked'),
  {
    type: 'histogram',
    name: 'dpdk_vhost_vring_frame_size_bytes',
    help: 'Length of frames without FCS, as librte_vhost counts; of ports with vringStats',
    labels: LABELS,
    collect: (snapshot, add) => {
      forEachVring(snapshot, ({ counters, queue, direction }, port) => {
        const counts = SIZES.map(({ key }) => counters.get(key) ?? 0)
        const sum = counters.get('good_bytes') ?? 0
        add({ bounds: SIZE_BOUNDS, counts, sum }, port, queue, direction)
      })
    },
  },
]
