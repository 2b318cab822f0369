/**
 * A bridge as the thread that controls sees it: its memory, shared with the lcores.
 *
 * @packageDocumentation
 */
import { formatMac } from 'dpdk-vhost/headers'
import { sharedMacTable } from 'dpdk-vhost/programs/learning-switch'
import { MacTable } from 'dpdk-vhost/programs/mac-table'
import type { MacView } from '../control.js'
import type { BridgeMemory } from '../image.js'
import { Notices } from './notices.js'
import {
  CUT_FLOODS,
  newState,
  PortCounter,
  portWords,
  readCounter,
  secondNow,
  stateOver,
} from './state.js'

/** Counts of a bridge, of all lcores. */
export interface BridgeCounters {
  /** Addresses in the table, static ones included. */
  readonly size: number
  /** Most addresses it can hold. */
  readonly limit: number
  /** Static entries. */
  readonly statics: number
  /** Addresses learnt so far. */
  readonly learned: number
  /** Times an address appeared on another port. */
  readonly moves: number
  /** Addresses forgotten to make room. */
  readonly evictions: number
  /** Addresses that reached the ageing time. */
  readonly expired: number
  /** Times an address was held because it moved too often. */
  readonly flaps: number
  /** Floods that reached their tagged receivers only or their untagged ones, for want of a frame. */
  readonly cutFloods: number
  /** Notices that found no room. */
  readonly lostNotices: number
}

/** Frames from a port that its bridge dropped. */
export interface BridgePortCounters {
  /** Of a VLAN that the port does not carry, or with half a tag. */
  readonly vlan: number
  /** Beyond the storm limit. */
  readonly storm: number
  /** From an address that is held on another port. */
  readonly loop: number
}

/** Makes the memory of a bridge of `tableSize` addresses, 16 to 1048576. */
export function newBridgeMemory(tableSize: number): BridgeMemory {
  return { macs: sharedMacTable(tableSize), state: newState() }
}

/**
 * The addresses of a bridge.
 *
 * @param names - of the ports, by id
 * @param ageing - seconds; what was not seen for longer is not shown
 */
export function macEntries(
  memory: BridgeMemory,
  names: ReadonlyMap<number, string>,
  ageing: number,
): MacView[] {
  return new MacTable(memory.macs)
    .entries(secondNow(stateOver(memory.state)))
    .filter((entry) => entry.static || entry.age <= ageing)
    .map(({ mac, vlan, port, age, static: given }) => ({
      port: names.get(port) ?? `#${port}`,
      portId: port,
      vlan,
      mac: formatMac(mac),
      age,
      static: given,
    }))
}

/** Forgets the addresses that were learnt. Returns how many there were. */
export function flushMacs(memory: BridgeMemory): number {
  return new MacTable(memory.macs).flush(secondNow(stateOver(memory.state)))
}

/** Counts of a bridge. */
export function bridgeCounters({ macs, state: buffer }: BridgeMemory): BridgeCounters {
  const state = stateOver(buffer)
  const { size, limit, statics, learned, moves, evictions, expired, flaps } = new MacTable(macs)
  const cutFloods = readCounter(state.words, CUT_FLOODS)
  const lostNotices = new Notices(state).lost
  const table = { size, limit, statics, learned, moves, evictions, expired, flaps }
  return { ...table, cutFloods, lostNotices }
}

/** Frames from a port that the bridge dropped. They are of the id: see {@link resetBridgePort}. */
export function bridgePortCounters({ state }: BridgeMemory, portId: number): BridgePortCounters {
  const { words } = stateOver(state)
  const at = portWords(portId)
  return {
    vlan: readCounter(words, at + PortCounter.vlan),
    storm: readCounter(words, at + PortCounter.storm),
    loop: readCounter(words, at + PortCounter.loop),
  }
}

/** Lets counters and storm limits of a port id begin anew, for another port that gets the id. */
export function resetBridgePort({ state }: BridgeMemory, portId: number): void {
  stateOver(state).words.fill(0, portWords(portId), portWords(portId + 1))
}
