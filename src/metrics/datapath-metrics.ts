import type { Registry } from 'prom-client'
import type { Datapath } from '../datapath/datapath.js'
import type { MetricDefinition } from './definition.js'
import { LCORE_METRICS } from './lcore-metrics.js'
import { LcoreTotals } from './lcore-totals.js'
import { MetricSet } from './metric-set.js'
import { PORT_METRICS } from './port-metrics.js'
import { type DatapathSnapshot, takeSnapshot } from './snapshot.js'
import { VRING_METRICS } from './vring-metrics.js'

/** Metrics of the datapath itself. */
const OWN_METRICS: readonly MetricDefinition<DatapathSnapshot>[] = [
  {
    type: 'gauge',
    name: 'dpdk_vhost_info',
    help: 'Always 1: the version of DPDK and the kind of memory, in labels',
    labels: ['dpdk_version', 'memory'],
    collect: ({ info }, add) => add(1, info.dpdkVersion, info.memory),
  },
  {
    type: 'gauge',
    name: 'dpdk_vhost_memory_frames',
    help: 'Frames that packet memory holds (the mempool)',
    labels: [],
    collect: ({ info }, add) => add(info.frames),
  },
  {
    type: 'gauge',
    name: 'dpdk_vhost_memory_used_frames',
    help: 'Frames of packet memory that are taken, those in rings of devices included',
    labels: [],
    collect: ({ framesInUse }, add) => add(framesInUse),
  },
]

/** All metrics of a datapath. */
export const DATAPATH_METRICS: readonly MetricDefinition<DatapathSnapshot>[] = [
  ...OWN_METRICS,
  ...PORT_METRICS,
  ...VRING_METRICS,
  ...LCORE_METRICS,
]

/**
 * The metrics of a datapath for Prometheus. They are read from counters that lcores keep anyway when somebody asks, so
 * asking disturbs no lcore. Counters go on across reconnects, and across lcores that end and are started again by their
 * names.
 */
export class DatapathMetrics implements Disposable {
  readonly #lcores: LcoreTotals
  readonly #set: MetricSet<DatapathSnapshot>

  constructor(datapath: Datapath) {
    this.#lcores = new LcoreTotals(datapath)
    this.#set = new MetricSet(DATAPATH_METRICS, () => takeSnapshot(datapath, this.#lcores))
  }

  /** In Prometheus' text format: `text/plain; version=0.0.4`. */
  text(): Promise<string> {
    return this.#set.text()
  }

  /** The same in UTF-8, for who sends it: of hundreds of ports it is a megabyte, of which no string is made here. */
  bytes(): Promise<Buffer> {
    return this.#set.bytes()
  }

  /**
   * Adds them to a registry of `prom-client`, beside what it has.
   *
   * @throws Error of `prom-client` when it has a metric of one of the names
   */
  register(registry: Registry): void {
    this.#set.register(registry)
  }

  /** Follows the datapath no longer. */
  [Symbol.dispose](): void {
    this.#lcores[Symbol.dispose]()
  }
}
