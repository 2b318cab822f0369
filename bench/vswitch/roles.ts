import { GUEST_MACS } from '../frames.js'

/** Names of its ports. */
export const VSWITCH_PORTS = ['vhost0', 'vhost1'] as const

/** What `vswitch` is configured to do between two guests. */
export interface VswitchRole {
  /** Of the bridge, besides its name. */
  readonly bridge: { readonly flows?: readonly string[]; readonly [key: string]: unknown }
  /** Of each port, besides its name and socket. */
  readonly ports?: readonly [object, object]
  /** Whether each guest has one address, which the bridge is to have learnt. */
  readonly learns: boolean
  /** From one scrape of its metrics to the next. Default: none. */
  readonly scrapeMs?: number
}

/** A bridge that learns. */
export const NORMAL: VswitchRole = { bridge: {}, learns: true }

/** Rules alone decide. */
export function byRules(flows: readonly string[]): VswitchRole {
  return { bridge: { flows }, learns: false }
}

/** A bridge that learns, with policers of bytes and frames in both directions, and port security, that let all pass. */
export const GUARDED: VswitchRole = {
  ...NORMAL,
  ports: [guarded(0), guarded(1)],
  scrapeMs: 1000,
}

/** That many rules that no frame of the load matches, and one that has the bridge switch. */
export function deniedRules(count: number): string[] {
  const denied = Array.from(
    { length: count },
    (_, i) => `priority=10,udp,tp_dst=${5000 + i},actions=drop`,
  )
  return [...denied, 'priority=0,actions=normal']
}

/** Rules of {@link FULL} that no frame of the load matches. */
const DENIED = 100

/** What testpmd sends: IP addresses of RFC 2544's range, the same from both guests. */
const LOAD_IP = '198.18.0.1'

/** More than passes in any case, in bytes a second. */
const NO_LIMIT = 400_000_000_000

/**
 * All that looks at frames of one bridge, but for mirrors: 100 rules before the bridge, limits of floods, port security with MAC
 * and IP addresses, policers in both directions that never run dry, and metrics that are scraped every second.
 */
export const FULL: VswitchRole = {
  bridge: {
    stormLimit: { broadcast: 1000, multicast: 1000, unknownUnicast: 1000 },
    loopGuard: {},
    flows: deniedRules(DENIED),
  },
  ports: [secured(0), secured(1)],
  learns: true,
  scrapeMs: 1000,
}

function secured(guest: 0 | 1): object {
  return {
    portSecurity: [`${GUEST_MACS[guest]} ${LOAD_IP}`],
    ingressPolicingRate: 0xffff_ffff,
    ingressPolicingBurst: 0xffff_ffff,
    egressPolicer: { cir: NO_LIMIT, cbs: NO_LIMIT },
  }
}

/** More than there is of everything: 400 Gbit/s, a gigaframe. */
function guarded(guest: 0 | 1): object {
  return {
    portSecurity: [{ mac: GUEST_MACS[guest] }],
    ingressPolicingRate: 400_000_000,
    ingressPolicingKpktsRate: 1_000_000,
    egressPolicer: { cir: 50_000_000_000, cbs: 500_000_000 },
    egressPacketPolicer: { cir: 1_000_000_000, cbs: 10_000_000 },
  }
}
