import { vlan as tags } from 'dpdk-vhost/headers'
import type { Burst } from 'dpdk-vhost/programs/program'
import { UNTAGGED } from './vlan-ports.js'

/** Priority of a tag. */
const PCP = 0xe000

/** Whether a frame has to change to leave as it should. */
export function mustChange(tci: number, vlan: number, tagged: boolean): boolean {
  // A tag of the VLAN itself stays as it is; one of VLAN 0 is there for its priority alone.
  if (tagged) return tci === UNTAGGED || (tci & 0xfff) !== vlan
  return tci !== UNTAGGED
}

/**
 * Gives frame `index`, which has the tag control information `tci`, the form it leaves in. The priority of a tag goes on
 * into a tag put in its place, the drop eligible bit does not; as in Open vSwitch.
 */
export function retag(
  burst: Burst,
  index: number,
  tci: number,
  vlan: number,
  tagged: boolean,
): void {
  if (!tagged) {
    if (tci !== UNTAGGED) tags.pop(burst, index)
  } else if (tci === UNTAGGED) {
    tags.push(burst, index, vlan)
  } else if ((tci & 0xfff) !== vlan) {
    tags.setTci(burst.view, (burst.offset[index] as number) + tags.OFFSET, (tci & PCP) | vlan)
  }
}
