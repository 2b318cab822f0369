/**
 * Mirrors, compiled: which of them take what, by port id.
 *
 * @packageDocumentation
 */
import { type Burst, ConfigError, MAX_PORTS } from 'dpdk-vhost'
import { EtherType } from 'dpdk-vhost/headers'
import type { AttachmentSpec, MirrorSpec } from '../spec.js'
import { countMirrored } from './mirror-counters.js'

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
  /** Output port of each mirror. */
  readonly #output = new Int32Array(MAX_MIRRORS)
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
    for (const mirror of mirrors) {
      const output = ids.get(mirror.outputPort)
      // It begins when the port comes.
      if (output === undefined || !ports.has(output)) continue
      const own = counters.get(mirror.name)
      this.#counters.push(own && new Int32Array(own))
      this.#add(this.#count++, mirror, output, ports, ids)
    }
  }

  get count(): number {
    return this.#count
  }

  /** Those of `mirrors` that take the VLAN of frame `index`, received on or sent to `port`. */
  ofVlan(mirrors: number, burst: Burst, index: number, port: number): number {
    if (!this.#selectsVlans || mirrors === 0) return mirrors
    return mirrors & (this.#byVlan[this.#vlanOf(burst, index, port)] as number)
  }

  /** Those of `mirrors` whose output port is ready. */
  withReadyOutput(mirrors: number, { isReady }: Burst): number {
    let ready = 0
    for (let left = mirrors; left !== 0; left &= left - 1) {
      if (isReady[this.outputOfLowest(left)] === 1) ready |= left & -left
    }
    return ready
  }

  /** Output port of the mirror of the lowest bit. */
  outputOfLowest(mirrors: number): number {
    return this.#output[31 - Math.clz32(mirrors & -mirrors)] as number
  }

  /** Counts a frame that the mirror of the lowest bit sends. It is seen after {@link publish}. */
  countOfLowest(mirrors: number, bytes: number): void {
    const bit = mirrors & -mirrors
    const mirror = 31 - Math.clz32(bit)
    this.#frames[mirror] = (this.#frames[mirror] as number) + 1
    this.#bytes[mirror] = (this.#bytes[mirror] as number) + bytes
    this.#counted |= bit
  }

  /** Adds what was counted to what the lcores of the bridge share. Once a burst. */
  publish(): void {
    for (let left = this.#counted; left !== 0; left &= left - 1) {
      const mirror = 31 - Math.clz32(left & -left)
      const counters = this.#counters[mirror]
      if (counters !== undefined)
        countMirrored(counters, this.#frames[mirror] as number, this.#bytes[mirror] as number)
      this.#frames[mirror] = this.#bytes[mirror] = 0
    }
    this.#counted = 0
  }

  #vlanOf({ view, offset, length }: Burst, index: number, port: number): number {
    const at = offset[index] as number
    let vlan = 0
    if ((length[index] as number) >= 18) {
      const type = view.getUint16(at + 12)
      if (type === EtherType.vlan || type === EtherType.serviceVlan) {
        vlan = view.getUint16(at + 14) & 0xfff
      }
    }
    return vlan === 0 ? (this.#untagged[port] as number) : vlan
  }

  #add(
    number: number,
    mirror: MirrorSpec,
    output: number,
    ports: ReadonlyMap<number, AttachmentSpec>,
    ids: ReadonlyMap<string, number>,
  ): void {
    const bit = 1 << number
    const select = (mirrors: Int32Array, names: readonly string[]) => {
      const chosen = mirror.selectAll ? [...ports.keys()] : names.map((name) => ids.get(name))
      for (const id of chosen) {
        if (id !== undefined && ports.has(id)) mirrors[id] = (mirrors[id] as number) | bit
      }
    }
    this.#output[number] = output
    this.isOutput[output] = 1
    select(this.received, mirror.selectSrcPort)
    select(this.sent, mirror.selectDstPort)
    const all = mirror.selectVlan.length === 0
    if (!all) this.#selectsVlans = true
    for (let vlan = 0; vlan < VLANS; vlan++) {
      if (all || mirror.selectVlan.includes(vlan)) {
        this.#byVlan[vlan] = (this.#byVlan[vlan] as number) | bit
      }
    }
  }
}
