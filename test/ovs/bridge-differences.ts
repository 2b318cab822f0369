import { buildEthernet, type VlanFields } from '../../src/headers/build.js'
import type { Step } from './bridge-pair.js'
import type { PortKind } from './bridge-switch.js'
import type { Sent } from './guests.js'

/** Where OVS does something else and we do not follow it. `src/switch/bridge/README.md` says the same. */
export interface BridgeDifference {
  readonly what: string
  /** Whether a frame may show it that comes from a port of one kind, among ports of these. */
  readonly shows: (frame: Uint8Array, from: PortKind, kinds: readonly PortKind[]) => boolean
  /** A case that shows it, in the last of its steps. */
  readonly kinds: readonly PortKind[]
  readonly rules?: readonly string[]
  readonly steps: readonly Step[]
}

const [A, B, ALL] = ['02:00:00:00:01:0a', '02:00:00:00:01:0b', 'ff:ff:ff:ff:ff:ff'] as const

function frame(destination: string, tag?: VlanFields, source: string = A): Uint8Array {
  const vlans = tag === undefined ? [] : [tag]
  return buildEthernet({ source, destination, type: 0x88b5, vlans, minLength: 60 })
}

function step(port: number, bytes: Uint8Array): Step {
  return { frames: [{ port, bytes }], twice: false }
}

function word(frame: Uint8Array, at: number): number {
  return ((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0)
}

/** Whether what has no tag is of VLAN 0 there. */
function takesVlan0({ vlanMode, tag = 0, trunks = [] }: PortKind): boolean {
  return vlanMode === 'trunk' ? trunks.length === 0 || trunks.includes(0) : tag === 0
}

function isDropEligible(bytes: Uint8Array): boolean {
  return word(bytes, 12) === 0x8100 && (word(bytes, 14) & 0x1000) !== 0
}

function hasTwoTags(bytes: Uint8Array): boolean {
  return word(bytes, 12) === 0x8100 && [0x8100, 0x88a8].includes(word(bytes, 16))
}

/** Whether frames of a VLAN leave it without a tag. */
function sendsPlain({ vlanMode, tag }: PortKind, vlan: number): boolean {
  return tag === vlan && vlanMode !== 'native-tagged'
}

export const BRIDGE_DIFFERENCES: readonly BridgeDifference[] = [
  {
    what: 'OVS takes the type 0x88a8 for that of a tag',
    shows: (bytes) => word(bytes, 12) === 0x88a8,
    kinds: [{ tag: 5 }, { tag: 5 }],
    steps: [step(0, frame(ALL, { vid: 7, tpid: 0x88a8 }))],
  },
  {
    what: 'OVS lets a tag of VLAN 0 that came with a priority out again',
    shows: (bytes, from) =>
      word(bytes, 12) === 0x8100 &&
      (word(bytes, 14) & 0xfff) === 0 &&
      word(bytes, 14) >>> 13 !== 0 &&
      takesVlan0(from),
    kinds: [{}, {}],
    steps: [step(0, frame(ALL, { vid: 0, pcp: 3 }))],
  },
  {
    what: 'OVS clears the drop eligible bit of a tag for ports that come after one which wants another form',
    shows: (bytes, _, kinds) =>
      isDropEligible(bytes) && kinds.some((kind) => sendsPlain(kind, word(bytes, 14) & 0xfff)),
    // The order of a flood is not known, that of a rule is.
    kinds: [{ tag: 5 }, { vlanMode: 'native-tagged', tag: 5 }, {}],
    rules: ['actions=normal,output:2'],
    steps: [step(0, frame(ALL, { vid: 0, dei: true }))],
  },
  {
    what: 'OVS does not learn who sends to a reserved address',
    shows: () => false,
    kinds: [{}, {}, {}],
    steps: [step(0, frame('01:80:c2:00:00:00')), step(1, frame(A, undefined, B))],
  },
  {
    what: 'OVS learns from a frame that ends within its tag, and drops it as we do',
    shows: () => false,
    kinds: [{ tag: 5 }, { tag: 5 }, { tag: 5 }],
    steps: [
      { ...step(0, frame(ALL, { vid: 5 }).subarray(0, 16)), twice: true },
      step(1, frame(A, undefined, B)),
    ],
  },
  {
    what: 'OVS drops what has one more tag when rules took one',
    shows: () => false,
    kinds: [{}, {}],
    rules: ['actions=strip_vlan,normal'],
    steps: [
      step(
        0,
        buildEthernet({ source: A, destination: ALL, type: 0x88b5, vlans: [5, 6], minLength: 60 }),
      ),
    ],
  },
  {
    what: 'OVS learns the address of zeros',
    shows: () => false,
    kinds: [{}, {}, {}],
    steps: [
      step(0, frame(ALL, undefined, '00:00:00:00:00:00')),
      step(1, frame('00:00:00:00:00:00', undefined, B)),
    ],
  },
]

/** Those of the frames that also show none behind rules. */
export function comparableBehind(kinds: readonly PortKind[], frames: readonly Sent[]): Sent[] {
  return comparable(kinds, frames).filter(
    ({ bytes }) => !isDropEligible(bytes) && !hasTwoTags(bytes),
  )
}

/** Those of the frames that show no known difference. */
export function comparable(kinds: readonly PortKind[], frames: readonly Sent[]): Sent[] {
  return frames.filter(
    ({ port, bytes }) =>
      !BRIDGE_DIFFERENCES.some(({ shows }) => shows(bytes, kinds[port] as PortKind, kinds)),
  )
}
