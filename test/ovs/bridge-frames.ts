import { buildEthernet, buildUdp, type VlanFields } from '../../src/headers/build.js'
import { BROADCAST_MAC, formatMac } from '../../src/headers/mac.js'
import type { Random } from '../headers/random.js'
import type { PortKind } from './bridge-switch.js'
import type { Sent } from './guests.js'

/** Every mode, with VLANs that are met elsewhere and such that are not. */
export const KINDS: readonly PortKind[] = [
  {},
  { tag: 5 },
  { tag: 6 },
  { tag: 0 },
  { vlanMode: 'access', tag: 7 },
  { vlanMode: 'trunk', trunks: [5, 6] },
  { vlanMode: 'trunk', trunks: [0, 5] },
  { trunks: [6, 4095] },
  { vlanMode: 'native-tagged', tag: 5 },
  { vlanMode: 'native-tagged', tag: 6, trunks: [0, 5] },
  { vlanMode: 'native-tagged', tag: 5, trunks: [7] },
  { vlanMode: 'native-tagged', tag: 0 },
  { vlanMode: 'native-untagged', tag: 5 },
  { vlanMode: 'native-untagged', tag: 6, trunks: [5] },
  { vlanMode: 'native-untagged', tag: 5, trunks: [0, 6] },
  { vlanMode: 'native-untagged', tag: 0 },
]

/** VLANs of tags. */
const VIDS = [0, 0, 5, 5, 5, 6, 6, 7, 4095]

const STATIONS = 8

/** Nobody has these: broadcast, multicast, reserved, unknown. */
const OTHERS = [
  ...[formatMac(BROADCAST_MAC), formatMac(BROADCAST_MAC)],
  ...['01:00:5e:00:00:01', '33:33:00:00:00:01', '03:00:00:00:00:01'],
  ...['01:80:c2:00:00:00', '01:80:c2:00:00:01', '01:80:c2:00:00:0e', '01:80:c2:00:00:0f'],
  ...['01:80:c2:00:00:10', '01:80:c2:00:01:00', '01:80:c3:00:00:00'],
  ...['00:e0:2b:00:00:00', '00:e0:2b:00:00:04', '00:e0:2b:00:00:05', '00:e0:2b:00:00:06'],
  ...['01:00:0c:cc:cc:cc', '01:00:0c:cc:cc:cd', '01:00:0c:cc:cc:c0', '01:00:0c:cc:cc:bf'],
  ...['01:00:0c:cd:cd:cd', '01:00:0c:cd:cd:ce', '01:00:0c:00:00:00', '01:00:0c:00:00:01'],
  ...['02:00:00:00:02:01', '02:00:00:00:02:02'],
]

/** The address of a group, which nobody has. */
const NOBODY = '03:00:00:00:00:02'

/** Some of them, of which none is reserved. */
const TO_ALL = ['ff:ff:ff:ff:ff:ff', '33:33:00:00:00:01', '02:00:00:00:02:01']

function station(number: number): string {
  return `02:00:00:00:01:0${number}`
}

/** Where stations are, and with which tags they spoke there: no tag, or one of a VLAN. */
interface Home {
  port: number
  vids: (number | undefined)[]
}

/** Stations that speak and move; which is known to both switches before anybody speaks to them. */
export class Stations {
  readonly #random: Random
  readonly #ports: number
  readonly #homes: Home[]

  constructor(random: Random, ports: number) {
    this.#random = random
    this.#ports = ports
    this.#homes = Array.from({ length: STATIONS }, () => ({ port: 0, vids: [] }))
  }

  /** Some of them move, and all that did say so. */
  move(): Sent[] {
    const random = this.#random
    return this.#homes.flatMap((home, i) => {
      if (home.vids.length > 0 && random.below(3) > 0) return []
      home.port = random.below(this.#ports)
      home.vids = Array.from({ length: 1 + random.below(4) }, () =>
        random.below(2) === 0 ? undefined : random.pick(VIDS),
      )
      return home.vids.map((vid) => {
        const vlans = vid === undefined ? [] : [vid]
        const ethernet = { source: station(i), destination: random.pick(TO_ALL), vlans }
        return { port: home.port, bytes: buildEthernet({ ...ethernet, type: 0x88b5 }) }
      })
    })
  }

  /** They speak to each other, and to others. */
  speak(count: number): Sent[] {
    const random = this.#random
    return Array.from({ length: count }, () => {
      const i = random.below(STATIONS)
      const { port, vids } = this.#homes[i] as Home
      const to =
        random.below(4) === 0
          ? random.pick(OTHERS)
          : station((i + random.below(STATIONS)) % STATIONS)
      // What has no address of its own is learnt by nobody, and may have any tag.
      if (random.below(8) === 0) {
        const vid = random.pick([undefined, ...VIDS])
        return { port, bytes: this.#frame(NOBODY, to, vid) }
      }
      return { port, bytes: this.#frame(station(i), to, random.pick(vids)) }
    })
  }

  #frame(source: string, destination: string, vid: number | undefined): Uint8Array {
    const random = this.#random
    const tag = (): VlanFields => ({
      vid: random.pick(VIDS),
      pcp: random.pick([0, random.below(8)]),
      dei: random.below(4) === 0,
    })
    const vlans: VlanFields[] = vid === undefined ? [] : [{ ...tag(), vid }]
    // Tags behind the first are payload, and so is any behind one of another type.
    if (vid !== undefined && random.below(4) === 0)
      vlans.push({ ...tag(), tpid: random.pick([0x8100, 0x88a8]) })
    const payload = random.bytes(random.below(40))
    const ethernet = { source, destination, vlans }
    switch (random.below(6)) {
      case 0:
        // Ends within its tag, or with its header. From nobody, because OVS learns from some of these.
        return buildEthernet({ ...ethernet, source: NOBODY, type: 0x88b5 }).subarray(
          0,
          random.between(14, 18),
        )
      case 1: {
        const addresses = { sourceIp: '10.0.0.1', destinationIp: '10.0.0.2' }
        const ports = { sourcePort: random.below(65536), destinationPort: 53 }
        return buildUdp({ ...ethernet, ...addresses, ...ports, payload })
      }
      case 2:
        return buildEthernet({ ...ethernet, type: 0x88b5 })
      default:
        return buildEthernet({ ...ethernet, type: 0x88b5, payload, minLength: 60 })
    }
  }
}
