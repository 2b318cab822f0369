import { native } from '../errors.js'
import { binding, type NativeVringTotals } from '../native/binding.js'

/** What was counted for one vring of a port, all its connections together: by librte_vhost, and by us for frames that we copied. */
export interface VringStats {
  readonly queue: number
  /** `receive`: from the guest. */
  readonly direction: 'receive' | 'transmit'
  /** By librte's names, without the vring's: `good_packets`. Which there are depends on DPDK's version. */
  readonly counters: ReadonlyMap<string, number>
}

/** Statistics of all ports that have them, by port id. */
export async function readVringStats(): Promise<Map<number, VringStats[]>> {
  const all = await native(binding.vringTotals())
  return new Map(all.map((one) => [one.id, vringsOf(one)]))
}

function vringsOf({ names, values }: NativeVringTotals): VringStats[] {
  const count = values.length / names.length
  return Array.from({ length: count }, (_, vring) => ({
    // librte counts from the guest's side: even vrings are those that the guest receives from.
    queue: vring >> 1,
    direction: vring % 2 === 0 ? 'transmit' : 'receive',
    counters: new Map(names.map((name, i) => [name, values[vring * names.length + i] as number])),
  }))
}
