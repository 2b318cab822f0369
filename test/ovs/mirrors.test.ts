/** The same frames through mirrors of OVS-DPDK and of ours: the same comes out of every port. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { buildEthernet, type VlanFields } from '../../src/headers/build.js'
import { BridgePair } from './bridge-pair.js'
import type { Mirroring, PortKind } from './bridge-switch.js'
import type { Sent } from './guests.js'
import { reasonToSkip } from './skip.js'

const station = (port: number) => `02:00:00:00:01:0${port}`

function frame(port: number, to: string, payload: number, tag?: VlanFields): Sent {
  const vlans = tag === undefined ? [] : [tag]
  const bytes = { payload: Uint8Array.from({ length: payload }, (_, i) => i), minLength: 60 }
  const ethernet = { source: station(port), destination: to, type: 0x88b5, vlans }
  return { port, bytes: buildEthernet({ ...ethernet, ...bytes }) }
}

const ALL = 'ff:ff:ff:ff:ff:ff'
const LLDP = '01:80:c2:00:00:0e'

/** Who is where, in the VLANs in which they are spoken to. */
const FIRST: readonly Sent[] = [
  frame(0, ALL, 46),
  frame(1, ALL, 46),
  frame(2, ALL, 46, { vid: 10 }),
]

/** Has a tag, which is none of a VLAN: to a port, ours is mirrored as it came, and OVS's without it. */
const PRIORITY = frame(0, station(1), 46, { vid: 0, pcp: 3 })

/** From ports 0 and 1, which are of VLAN 10, and from 2, which is a trunk. */
const FRAMES: readonly Sent[] = [
  frame(0, ALL, 46),
  frame(1, station(0), 200),
  frame(0, station(1), 400),
  PRIORITY,
  frame(0, LLDP, 46),
  frame(2, station(0), 300, { vid: 10, pcp: 5 }),
  frame(2, ALL, 46, { vid: 10, pcp: 5 }),
  frame(2, ALL, 46, { vid: 20 }),
  frame(2, ALL, 150, { vid: 30 }),
  frame(2, ALL, 46, { vid: 30, pcp: 1, tpid: 0x88a8 }),
]

const ACCESS_10: PortKind = { tag: 10 }
const PORTS: readonly PortKind[] = [ACCESS_10, ACCESS_10, {}, ACCESS_10, { tag: 20 }]
const NATIVE_20: PortKind = { vlanMode: 'native-untagged', tag: 20 }

const SCENES: readonly (readonly [string, readonly PortKind[], readonly Mirroring[]])[] = [
  ['what is received, cut', PORTS, [{ src: [0], port: 3, snaplen: 64 }]],
  ['what is sent, cut', PORTS, [{ dst: [1], port: 3, snaplen: 14 }]],
  ['a length that no frame has', PORTS, [{ src: [1], port: 3, snaplen: 65535 }]],
  ['a VLAN', PORTS, [{ src: [0, 1], outputVlan: 20 }]],
  ['a VLAN, of all', PORTS, [{ outputVlan: 20 }]],
  ['a VLAN, of what is sent', PORTS, [{ dst: [0], outputVlan: 20, snaplen: 100 }]],
  ['a VLAN, of some VLANs', PORTS, [{ selectVlan: [10, 20], outputVlan: 30 }]],
  ['a VLAN, cut with its tag', PORTS, [{ src: [0, 2], outputVlan: 20, snaplen: 60 }]],
  [
    'a VLAN of other kinds of ports',
    [ACCESS_10, ACCESS_10, { trunks: [10, 20] }, NATIVE_20, { trunks: [10] }],
    [{ src: [0, 1], outputVlan: 20 }],
  ],
  [
    'a VLAN and a port',
    PORTS,
    [
      { src: [0], outputVlan: 20 },
      { src: [0], port: 3 },
    ],
  ],
  [
    'the same output',
    PORTS,
    [
      { src: [0], dst: [1], port: 3 },
      { src: [0, 1], port: 3 },
    ],
  ],
]

describe('mirrors do what those of OVS-DPDK do', { skip: reasonToSkip() }, () => {
  let pair: BridgePair
  before(async () => {
    pair = await BridgePair.start(PORTS.length, { isOvsCounted: true })
  })
  after(() => pair?.[Symbol.asyncDispose]())

  for (const [name, kinds, mirrors] of SCENES) {
    test(`to ${name}`, async () => {
      await pair.set({ kinds, mirrors })
      await pair.same({ frames: FIRST, twice: false })
      const isToPort = mirrors.some(({ port }) => port !== undefined)
      const frames = FRAMES.filter((one) => !isToPort || one !== PRIORITY)
      const { ovs } = await pair.same({ frames, twice: true })
      assert.ok(ovs.flat().length >= frames.length, `only ${ovs.flat().length} frames came`)
    })
  }
})
