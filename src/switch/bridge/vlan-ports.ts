import { MAX_PORTS } from 'dpdk-vhost/programs/program'
import type { AttachmentSpec, VlanMode } from '../spec.js'

/** What {@link VlanPorts.vlanOf} is given for a frame without a tag. */
export const UNTAGGED = -1

/** No VLAN: the port does not take the frame. */
export const REFUSED = -1

const NONE = 0
const MODES: Readonly<Record<VlanMode, number>> = {
  access: 1,
  trunk: 2,
  'native-tagged': 3,
  'native-untagged': 4,
}

/**
 * Which VLANs the ports of a bridge carry, and in what form: Open vSwitch's `vlan_mode`, `tag` and `trunks`
 * (ovs-vswitchd.conf.db(5), "VLAN Configuration"; `input_vid_is_valid` and `output_vlan_to_vid` in
 * ofproto/ofproto-dpif-xlate.c, `bundle_set` in ofproto/ofproto-dpif.c).
 */
export class VlanPorts {
  /** The VLAN that each port carries without a tag; -1: none. A tag of VLAN 0 is never sent (`priority-tags=never`). */
  readonly untagged = new Int32Array(MAX_PORTS).fill(-1)
  /** The VLAN that each port gives frames without a tag; {@link REFUSED}: it does not take them. For hot loops, as {@link vlanOf} tells the same. */
  readonly given = new Int32Array(MAX_PORTS).fill(REFUSED)
  readonly #mode = new Uint8Array(MAX_PORTS)
  readonly #tag = new Uint16Array(MAX_PORTS)
  /** Bitmaps of VLANs; undefined: all. */
  readonly #trunks: (Uint32Array | undefined)[] = new Array<undefined>(MAX_PORTS).fill(undefined)

  /** Lets a port take part. */
  set(port: number, { vlanMode, tag = 0, trunks }: AttachmentSpec): void {
    this.#mode[port] = MODES[vlanMode]
    this.#tag[port] = tag
    this.#trunks[port] = vlanMode === 'access' ? undefined : mapOf(trunks, vlanMode, tag)
    if (vlanMode === 'access' || vlanMode === 'native-untagged') this.untagged[port] = tag
    else this.untagged[port] = this.carries(port, 0) ? 0 : -1
    this.given[port] = this.vlanOf(port, UNTAGGED)
  }

  /** Lets it take part no more. */
  delete(port: number): void {
    this.#mode[port] = NONE
    this.untagged[port] = -1
    this.given[port] = REFUSED
    this.#trunks[port] = undefined
  }

  has(port: number): boolean {
    return this.#mode[port] !== NONE
  }

  /** The VLAN of a frame that came from `port` with this tag control information or {@link UNTAGGED}; or {@link REFUSED}. */
  vlanOf(port: number, tci: number): number {
    const vid = tci === UNTAGGED ? 0 : tci & 0xfff
    switch (this.#mode[port]) {
      case MODES.access:
        return vid === 0 ? (this.#tag[port] as number) : REFUSED
      case MODES.trunk:
        return this.carries(port, vid) ? vid : REFUSED
      case NONE:
        return REFUSED
      default:
        if (vid === 0) return this.#tag[port] as number
        return this.carries(port, vid) ? vid : REFUSED
    }
  }

  /** Whether frames of a VLAN leave by `port`. */
  carries(port: number, vlan: number): boolean {
    const mode = this.#mode[port]
    if (mode === NONE || mode === undefined) return false
    if (mode === MODES.access) return this.#tag[port] === vlan
    const trunks = this.#trunks[port]
    return trunks === undefined || (((trunks[vlan >>> 5] as number) >>> (vlan & 31)) & 1) === 1
  }

  /** Whether frames of a VLAN that `port` carries leave it with a tag. */
  isTagged(port: number, vlan: number): boolean {
    return this.untagged[port] !== vlan && vlan !== 0
  }
}

/** A bitmap of the VLANs that a port is a trunk of; undefined: all. */
function mapOf(trunks: readonly number[], mode: VlanMode, tag: number): Uint32Array | undefined {
  // A port always carries its native VLAN, and what comes without a tag is of that and not of VLAN 0.
  const native = mode === 'trunk' ? 0 : tag
  if (trunks.length === 0 && native === 0) return undefined
  const map = new Uint32Array(4096 / 32)
  if (trunks.length === 0) map.fill(0xffffffff)
  for (const vlan of trunks) setBit(map, vlan)
  if (native !== 0) {
    setBit(map, native)
    map[0] = (map[0] as number) & ~1
  }
  return map
}

function setBit(map: Uint32Array, vlan: number): void {
  map[vlan >>> 5] = (map[vlan >>> 5] as number) | (1 << (vlan & 31))
}
