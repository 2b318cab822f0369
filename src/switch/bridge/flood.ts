import { type Burst, DROP } from 'dpdk-vhost/programs/program'
import { mustChange, retag } from './retag.js'
import { addTo, CUT_FLOODS, type State } from './state.js'
import type { VlanPorts } from './vlan-ports.js'

/** Sends frames to all ready ports that carry their VLAN, except the one they came from. */
export class Flooder {
  readonly #ports: VlanPorts
  readonly #state: State
  #members: readonly number[] = []

  constructor(ports: VlanPorts, state: State) {
    this.#ports = ports
    this.#state = state
  }

  /** Ids of the ports that take part. */
  setMembers(members: readonly number[]): void {
    this.#members = members
  }

  /**
   * Floods frame `index`, which has the tag control information `tci` and is of `vlan`. Where some receivers want it with
   * a tag and others without, one duplicate is made for all of one form; if it cannot be had, the others get the frame.
   */
  flood(burst: Burst, index: number, tci: number, vlan: number): void {
    const { isReady, inPort } = burst
    const ports = this.#ports
    const members = this.#members
    let tagged = 0
    let untagged = 0
    for (let i = 0; i < members.length; i++) {
      const port = members[i] as number
      if (port === inPort || isReady[port] !== 1 || !ports.carries(port, vlan)) continue
      if (ports.isTagged(port, vlan)) tagged++
      else untagged++
    }
    if (tagged + untagged === 0) return
    // The frame itself is for those who take it as it is.
    const isTagged = untagged === 0 || (tagged > 0 && !mustChange(tci, vlan, true))
    if (tagged > 0 && untagged > 0) {
      const duplicate = burst.duplicate(index)
      if (duplicate >= 0) this.#send(burst, duplicate, tci, vlan, !isTagged)
      else addTo(this.#state.words, CUT_FLOODS, 1)
    }
    this.#send(burst, index, tci, vlan, isTagged)
  }

  /** Sends to those that want it with a tag, or to those that do not. */
  #send(burst: Burst, index: number, tci: number, vlan: number, tagged: boolean): void {
    const { isReady, inPort, outPort } = burst
    const ports = this.#ports
    const members = this.#members
    // First, because a list of copies that gets full is sent as the frames are then.
    retag(burst, index, tci, vlan, tagged)
    for (let i = 0; i < members.length; i++) {
      const port = members[i] as number
      if (port === inPort || isReady[port] !== 1) continue
      if (!ports.carries(port, vlan) || ports.isTagged(port, vlan) !== tagged) continue
      if (outPort[index] === DROP) outPort[index] = port
      else burst.copyTo(index, port)
    }
  }
}
