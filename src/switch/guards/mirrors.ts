/**
 * Mirrors, compiled: which of them take what, by port id.
 *
 * @packageDocumentation
 */
import { vlan as tags } from 'dpdk-vhost/headers'
import { type Burst, ConfigError, MAX_PORTS } from 'dpdk-vhost/programs/program'
import { isReserved } from '../bridge/reserved.js'
import { VlanPorts } from '../bridge/vlan-ports.js'
import type { AttachmentSpec, MirrorSpec } from '../spec.js'
import { countMirrored } from './mirror-counters.js'
import { hasTag, MirrorOutput } from './mirror-output.js'

/** Most mirrors of a bridge, one bit each; as in OVS. */
export const MAX_MIRRORS = 32

const VLANS = 4096

/** The mirrors of a bridge. A set of mirrors is a word with a bit for each. */
export class Mirrors {
  /** Mirrors that take what is received on a port, by port id. */
  readonly received = new Int32Array(MAX_PORTS)
  /** Mirrors that take what is sent to a port. */
  readonly sent = new Int32Array(MAX_PORTS)
  /** 1 where the port is the output of a mirror. */
  readonly isOutput = new Uint8Array(MAX_PORTS)
  /** Where the copies of each mirror go. */
  readonly #outputs: (readonly MirrorOutput[])[] = []
  /** Mirrors whose copies go where those of each go. */
  readonly #sharing = new Int32Array(MAX_MIRRORS)
  /** Mirrors whose copies go to a VLAN. */
  #toVlan = 0
  readonly #counters: (Int32Array | undefined)[] = []
  /** Sent by each mirror since the last `publish`. */
  readonly #frames = new Uint32Array(MAX_MIRRORS)
  readonly #bytes = new Uint32Array(MAX_MIRRORS)
  /** Mirrors that sent something since. */
  #counted = 0
  /** Mirrors that have an output. */
  #count = 0
  /** VLAN of untagged frames, by port id. */
  readonly #untagged = new Uint16Array(MAX_PORTS)
  /** Whether any mirror selects VLANs. */
  #selectsVlans = false
  /** Mirrors that take a VLAN. */
  readonly #byVlan = new Int32Array(VLANS)

  /**
   * @param counters - of each mirror, by its name; one without is not counted
   * @throws ConfigError for too many mirrors
   */
  constructor(
    ports: ReadonlyMap<number, AttachmentSpec>,
    ids: ReadonlyMap<string, number>,
    mirrors: readonly MirrorSpec[],
    counters: ReadonlyMap<string, SharedArrayBuffer>,
  ) {
    if (mirrors.length > MAX_MIRRORS) {
      const message = `has ${mirrors.length} mirrors`
      const fix = `give at most ${MAX_MIRRORS}`
      throw new ConfigError('bridge', [{ path: 'mirrors', value: undefined, message, fix }])
    }
    for (const [id, { vlanMode, tag }] of ports) {
      this.#untagged[id] = vlanMode === 'trunk' ? 0 : (tag ?? 0)
    }
    for (const { outputPort } of mirrors) {
      const output = outputPort === undefined ? undefined : ids.get(outputPort)
      if (output !== undefined && ports.has(output)) this.isOutput[output] = 1
    }
    const destinations = new Map<string | number | undefined, number>()
    for (const mirror of mirrors) {
      const outputs = this.#outputsOf(mirror, ports, ids)
      // It begins when a port comes.
      if (outputs.length === 0) continue
      const own = counters.get(mirror.name)
      this.#counters.push(own && new Int32Array(own))
      this.#outputs.push(outputs)
      const number = this.#count++
      const destination = mirror.outputPort ?? mirror.outputVlan
      const bit = 1 << number
      const sharing = (destinations.get(destination) ?? 0) | bit
      destinations.set(destination, sharing)
      for (let left = sharing; left !== 0; left &= left - 1) this.#sharing[lowest(left)] = sharing
      this.#select(bit, mirror, ports, ids)
    }
  }

  get count(): number {
    return this.#count
  }

  /** Those of `mirrors` that take frame `index`, received on or sent to `port`. */
  taking(mirrors: number, burst: Burst, index: number, port: number): number {
    if (!this.#selectsVlans || mirrors === 0) return mirrors
    const taking = mirrors & (this.#byVlan[this.#vlanOf(burst, index, port)] as number)
    if ((taking & this.#toVlan) === 0 || !isToBridges(burst, index)) return taking
    return taking & ~this.#toVlan
  }

  /** Those of `mirrors` that have an output that is ready: of such as share one, the first. */
  withReadyOutput(mirrors: number, burst: Burst): number {
    let ready = 0
    for (let left = mirrors; left !== 0; ) {
      const bit = left & -left
      if (isAnyReady(this.outputsOfLowest(left), burst)) ready |= bit
      left &= ~(this.#sharing[lowest(left)] as number)
    }
    return ready
  }

  /** Those of `mirrors`, and all that share an output with one of them. */
  withSharing(mirrors: number): number {
    let all = 0
    for (let left = mirrors; left !== 0; left &= left - 1)
      all |= this.#sharing[lowest(left)] as number
    return all
  }

  /** Outputs of the mirror of the lowest bit. */
  outputsOfLowest(mirrors: number): readonly MirrorOutput[] {
    return this.#outputs[lowest(mirrors)] as readonly MirrorOutput[]
  }

  /** Counts a frame that the mirror of the lowest bit sends. It is seen after {@link publish}. */
  countOfLowest(mirrors: number, bytes: number): void {
    const mirror = lowest(mirrors)
    this.#frames[mirror] = (this.#frames[mirror] as number) + 1
    this.#bytes[mirror] = (this.#bytes[mirror] as number) + bytes
    this.#counted |= 1 << mirror
  }

  /** Adds what was counted to what the lcores of the bridge share. Once a burst. */
  publish(): void {
    for (let left = this.#counted; left !== 0; left &= left - 1) {
      const mirror = lowest(left)
      const counters = this.#counters[mirror]
      if (counters !== undefined)
        countMirrored(counters, this.#frames[mirror] as number, this.#bytes[mirror] as number)
      this.#frames[mirror] = this.#bytes[mirror] = 0
    }
    this.#counted = 0
  }

  #vlanOf(burst: Burst, index: number, port: number): number {
    const at = (burst.offset[index] as number) + tags.OFFSET
    const vlan = hasTag(burst, index) ? tags.vid(burst.view, at) : 0
    return vlan === 0 ? (this.#untagged[port] as number) : vlan
  }

  #outputsOf(
    { outputPort, outputVlan: vlan, snaplen = Infinity }: MirrorSpec,
    ports: ReadonlyMap<number, AttachmentSpec>,
    ids: ReadonlyMap<string, number>,
  ): MirrorOutput[] {
    if (outputPort !== undefined) {
      const id = ids.get(outputPort)
      if (id === undefined || !ports.has(id)) return []
      return [new MirrorOutput([id], { vlan: undefined, tagged: false, snaplen })]
    }
    if (vlan === undefined) return []
    const vlans = new VlanPorts()
    for (const [id, port] of ports) vlans.set(id, port)
    const carrying = [...ports.keys()].filter(
      (id) => vlans.carries(id, vlan) && this.isOutput[id] === 0,
    )
    return [true, false].flatMap((tagged) => {
      const same = carrying.filter((id) => vlans.isTagged(id, vlan) === tagged)
      return same.length === 0 ? [] : [new MirrorOutput(same, { vlan, tagged, snaplen })]
    })
  }

  #select(
    bit: number,
    mirror: MirrorSpec,
    ports: ReadonlyMap<number, AttachmentSpec>,
    ids: ReadonlyMap<string, number>,
  ): void {
    const select = (mirrors: Int32Array, names: readonly string[]) => {
      const chosen = mirror.selectAll ? [...ports.keys()] : names.map((name) => ids.get(name))
      for (const id of chosen) {
        if (id !== undefined && ports.has(id)) mirrors[id] = (mirrors[id] as number) | bit
      }
    }
    select(this.received, mirror.selectSrcPort)
    select(this.sent, mirror.selectDstPort)
    const { selectVlan, outputVlan } = mirror
    const all = selectVlan.length === 0
    if (outputVlan !== undefined) this.#toVlan |= bit
    if (!all || outputVlan !== undefined) this.#selectsVlans = true
    for (let vlan = 0; vlan < VLANS; vlan++) {
      // What is in the VLAN already would go round.
      if (vlan !== outputVlan && (all || selectVlan.includes(vlan))) {
        this.#byVlan[vlan] = (this.#byVlan[vlan] as number) | bit
      }
    }
  }
}

/** The mirror of the lowest bit. */
function lowest(mirrors: number): number {
  return 31 - Math.clz32(mirrors & -mirrors)
}

function isAnyReady(outputs: readonly MirrorOutput[], burst: Burst): boolean {
  for (let i = 0; i < outputs.length; i++) {
    if ((outputs[i] as MirrorOutput).isReady(burst)) return true
  }
  return false
}

/** Whether frame `index` is for bridges, which are not to meet it in another VLAN. */
function isToBridges({ view, offset }: Burst, index: number): boolean {
  const at = offset[index] as number
  return isReserved(view.getInt32(at, true), view.getUint16(at + 4, true))
}
