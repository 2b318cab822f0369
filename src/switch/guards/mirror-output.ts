import { vlan as tags } from 'dpdk-vhost/headers'
import type { Burst } from 'dpdk-vhost/programs/program'

/** Priority of a tag. */
const PCP = 0xe000

/** In which form a mirror's copies leave. */
export interface MirrorForm {
  /** VLAN that they are put into; undefined: they keep the tags they have. */
  readonly vlan: number | undefined
  /** Whether they leave with a tag of that VLAN, or without one. */
  readonly tagged: boolean
  /** Most bytes of a copy. */
  readonly snaplen: number
}

/** Ports to which a mirror's copies go in the same form. */
export class MirrorOutput {
  readonly ports: Uint16Array
  readonly #form: MirrorForm

  constructor(ports: readonly number[], form: MirrorForm) {
    this.ports = Uint16Array.from(ports)
    this.#form = form
  }

  isReady({ isReady }: Burst): boolean {
    const { ports } = this
    for (let i = 0; i < ports.length; i++) {
      if (isReady[ports[i] as number] === 1) return true
    }
    return false
  }

  /** Whether frame `index` has to change to leave as it should. */
  changes({ length }: Burst, index: number): boolean {
    const { vlan, snaplen } = this.#form
    return vlan !== undefined || (length[index] as number) > snaplen
  }

  /** Gives frame `index` the form it leaves in. Its priority goes on into its tag; as in Open vSwitch, it is cut with its tag. */
  change(burst: Burst, index: number): void {
    const { vlan, tagged, snaplen } = this.#form
    if (vlan !== undefined) {
      if (!tagged) tags.pop(burst, index)
      else if (!hasTag(burst, index)) tags.push(burst, index, vlan)
      else {
        const at = (burst.offset[index] as number) + tags.OFFSET
        tags.setTci(burst.view, at, (tags.tci(burst.view, at) & PCP) | vlan)
      }
    }
    if ((burst.length[index] as number) > snaplen) burst.length[index] = snaplen
  }
}

/** Whether frame `index` has a tag, of either type. */
export function hasTag({ view, offset, length }: Burst, index: number): boolean {
  const at = (offset[index] as number) + tags.OFFSET
  return (length[index] as number) >= 18 && tags.isTag(tags.tpid(view, at))
}
