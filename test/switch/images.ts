import type { BridgeImage } from '../../src/switch/image.js'
import type { AttachmentSpec, BridgeSpec } from '../../src/switch/spec.js'

/** A port that takes part as given, a trunk of all VLANs by default. */
export function attached(given: Partial<AttachmentSpec> = {}): AttachmentSpec {
  return {
    bridge: 'br0',
    vlanMode: given.tag === undefined ? 'trunk' : 'access',
    tag: undefined,
    trunks: [],
    portSecurity: undefined,
    ingressPolicingRate: 0,
    ingressPolicingBurst: 0,
    ingressPolicingKpktsRate: 0,
    ingressPolicingKpktsBurst: 0,
    ingressPolicer: undefined,
    ingressPacketPolicer: undefined,
    egressPolicer: undefined,
    egressPacketPolicer: undefined,
    ...given,
  }
}

/** Settings of a bridge with what the configuration has as defaults. */
export function settings(given: Partial<BridgeSpec> = {}): BridgeImage['settings'] {
  return {
    ageing: 300,
    forwardBpdu: false,
    staticMacs: [],
    stormLimit: { broadcast: undefined, multicast: undefined, unknownUnicast: undefined },
    loopGuard: { moves: 10, withinMs: 1000, holdMs: 5000 },
    mirrors: [],
    ...given,
  }
}
