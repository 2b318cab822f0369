import type { PortCounters, RxCounters, TxCounters } from '../counters/counters.js'
import type { PortState } from '../native/binding.js'
import { type MetricDefinition, snakeCase } from './definition.js'
import type { DatapathSnapshot, PortSnapshot } from './snapshot.js'

type Definition = MetricDefinition<DatapathSnapshot>

/** Names as a record, so that the compiler misses what is added elsewhere and not here. */
const namesOf = <Name extends string>(names: Readonly<Record<Name, true>>) =>
  Object.keys(names) as Name[]

const PORT_STATES = namesOf<PortState>({
  closed: true,
  connecting: true,
  listening: true,
  connected: true,
  ready: true,
  stopped: true,
  disconnected: true,
  failed: true,
})

type Drops<T> = keyof T & `dropped${string}`

/** Counters of drops, and the reason that each is in a label. */
const reasonsOf = <T>(names: Readonly<Record<Drops<T>, true>>) =>
  namesOf<Drops<T>>(names).map((key) => ({ key, reason: snakeCase(key.slice('dropped'.length)) }))

export const RX_DROPS = reasonsOf<RxCounters>({
  droppedByProgram: true,
  droppedBadVerdict: true,
  droppedBadOffset: true,
  droppedNoSuchPort: true,
  droppedProgramError: true,
  droppedOversize: true,
})

const TX_DROPS = reasonsOf<TxCounters>({
  droppedRingFull: true,
  droppedNotConnected: true,
  droppedOversize: true,
  droppedShaperFull: true,
})

function ofPort(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  value: (port: PortSnapshot) => number,
): Definition {
  return {
    type,
    name: `dpdk_vhost_port_${name}`,
    help,
    labels: ['port'],
    collect: ({ ports }, add) => {
      for (const port of ports) add(value(port), port.name)
    },
  }
}

/** Counters of a direction. */
interface Direction<T> {
  /** Of each queue that was ever used. */
  queues(counters: PortCounters): readonly T[]
  /** Of a port none of whose queues was: the first has series before, as a rate needs a value to begin from. */
  all(counters: PortCounters): T
}

const rx: Direction<RxCounters> = { queues: ({ rxQueues }) => rxQueues, all: (of) => of.rx }
const tx: Direction<TxCounters> = { queues: ({ txQueues }) => txQueues, all: (of) => of.tx }

/** A counter of each queue of a direction. */
function ofQueues<T>(
  name: string,
  help: string,
  direction: Direction<T>,
  key: { [Key in keyof T]: T[Key] extends number ? Key : never }[keyof T],
): Definition {
  return {
    type: 'counter',
    name: `dpdk_vhost_port_${name}_total`,
    help,
    labels: ['port', 'queue'],
    collect: ({ ports }, add) => {
      for (const port of ports) {
        const queues = direction.queues(port.counters)
        for (let queue = 0; queue < Math.max(1, queues.length); queue++) {
          const counters = queues[queue] ?? direction.all(port.counters)
          add(counters[key] as number, port.name, queue)
        }
      }
    },
  }
}

/** Frames that each queue dropped, by reason. */
function ofDrops<T>(
  name: string,
  help: string,
  direction: Direction<T>,
  drops: readonly { key: Drops<T>; reason: string }[],
): Definition {
  return {
    type: 'counter',
    name: `dpdk_vhost_port_${name}_dropped_frames_total`,
    help,
    labels: ['port', 'queue', 'reason'],
    collect: ({ ports }, add) => {
      for (const port of ports) {
        const queues = direction.queues(port.counters)
        for (let queue = 0; queue < Math.max(1, queues.length); queue++) {
          const counters = queues[queue] ?? direction.all(port.counters)
          for (const { key, reason } of drops) {
            add(counters[key] as number, port.name, queue, reason)
          }
        }
      }
    },
  }
}

export const PORT_METRICS: readonly Definition[] = [
  {
    type: 'gauge',
    name: 'dpdk_vhost_port_info',
    help: 'Always 1: the type of a port and its role on the socket, in labels',
    labels: ['port', 'type', 'role'],
    collect: ({ ports }, add) => {
      for (const { name, type, role = '' } of ports) add(1, name, type, role)
    },
  },
  {
    type: 'gauge',
    name: 'dpdk_vhost_port_state',
    help: 'Whether a port is in a state: 1 for the one it is in',
    labels: ['port', 'state'],
    collect: ({ ports }, add) => {
      for (const { name, status } of ports) {
        for (const state of PORT_STATES) add(Number(status.state === state), name, state)
      }
    },
  },
  ofPort(
    'gauge',
    'state_timestamp_seconds',
    'When a port came into its state or changed its queues, as Unix time',
    ({ status }) => status.time / 1000,
  ),
  ofPort('gauge', 'admin_up', 'Whether a port is to be up: 1 if so', ({ status }) =>
    Number(status.adminState === 'up'),
  ),
  ofPort(
    'counter',
    'connections_total',
    'Connections of a port, or times its link went up; all but the first are reconnects',
    ({ status }) => status.generation,
  ),
  ofPort(
    'counter',
    'peer_stalls_total',
    'Times the peer of a port held up the thread that serves all peers',
    ({ counters }) => counters.peer.stalls,
  ),
  ofPort(
    'counter',
    'peer_flaps_total',
    'Times the peer of a port was held down for flapping',
    ({ counters }) => counters.peer.flaps,
  ),
  ofPort(
    'counter',
    'peer_memory_faults_total',
    'Times memory that the peer of a port shares was gone',
    ({ counters }) => counters.peer.memoryFaults,
  ),
  ofQueues('receive_frames', 'Frames received', rx, 'frames'),
  ofQueues('receive_bytes', 'Bytes of the frames received, without FCS', rx, 'bytes'),
  ofDrops(
    'receive',
    'Frames received that were dropped before they reached another port',
    rx,
    RX_DROPS,
  ),
  ofQueues('transmit_frames', 'Frames sent', tx, 'frames'),
  ofQueues('transmit_bytes', 'Bytes of the frames sent, without FCS', tx, 'bytes'),
  ofDrops('transmit', 'Frames for the port that it did not send', tx, TX_DROPS),
  ofQueues('transmit_bursts', 'Bursts sent', tx, 'calls'),
  ofQueues('transmit_retries', 'Times a full ring of a guest was tried again', tx, 'retries'),
  ofPort(
    'gauge',
    'shaper_queue_frames',
    'Frames that wait for the egress shaper of a port',
    ({ counters }) => counters.shaperQueue.frames,
  ),
  ofPort(
    'gauge',
    'shaper_queue_bytes',
    'Bytes of the frames that wait for the egress shaper of a port',
    ({ counters }) => counters.shaperQueue.bytes,
  ),
]
