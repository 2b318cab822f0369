import type { LcoreCounters, PortCounters } from '../counters/counters.js'
import type { Datapath, DatapathInfo } from '../datapath/datapath.js'
import type { Port } from '../datapath/port.js'
import type { PortStatus } from '../datapath/port-status.js'
import type { RxQueueStatus } from '../datapath/rx-queues.js'
import type { VringStats } from '../datapath/vring-stats.js'
import type { LcoreTotals } from './lcore-totals.js'

/** A datapath at one moment. */
export interface DatapathSnapshot {
  readonly info: DatapathInfo
  readonly framesInUse: number
  readonly ports: readonly PortSnapshot[]
  readonly lcores: readonly LcoreSnapshot[]
  readonly rxQueues: readonly RxQueueStatus[]
}

export interface PortSnapshot {
  readonly name: string
  readonly type: Port['type']
  readonly role: Port['role']
  readonly status: PortStatus
  readonly counters: PortCounters
  readonly vrings: readonly VringStats[]
}

export interface LcoreSnapshot {
  readonly name: string
  /** With those of lcores that had the name before. */
  readonly counters: LcoreCounters
  /** Times an lcore of the name started. */
  readonly starts: number
  /** Times its program did not return from a burst. */
  readonly stuck: number
}

export async function takeSnapshot(
  datapath: Datapath,
  lcores: LcoreTotals,
): Promise<DatapathSnapshot> {
  const wantsVrings = [...datapath.ports.values()].some(({ spec }) => hasVringStats(spec))
  const vrings = wantsVrings ? await datapath.vringStats() : undefined
  return {
    info: datapath.info,
    framesInUse: datapath.framesInUse(),
    ports: Array.from(datapath.ports.values(), (port) => ({
      name: port.name,
      type: port.type,
      role: port.role,
      status: port.status,
      counters: port.counters(),
      vrings: vrings?.get(port.name) ?? [],
    })),
    lcores: lcores.read(),
    rxQueues: datapath.rxQueues(),
  }
}

function hasVringStats(spec: Port['spec']): boolean {
  return spec.type !== 'dpdk' && spec.vringStats
}
