/**
 * What a switch is to be: its configuration with all defaults filled in. Pure data; `config/` makes it out of a file and
 * `live/` makes it true.
 *
 * @packageDocumentation
 */
import type { DatapathSpec, FlowMeter, FlowRule, LaunchSpec, LogLevel, PortSpec } from 'dpdk-vhost'
import type { PolicerOptions } from 'dpdk-vhost/qos'

export interface SwitchSpec {
  readonly datapath: DatapathSpec
  /** At least one, with distinct names. */
  readonly lcores: readonly LcoreSpec[]
  readonly bridges: readonly BridgeSpec[]
  readonly ports: readonly SwitchPortSpec[]
  readonly admin: AdminSpec
  readonly logging: LoggingSpec
  /** Undefined: no metrics are served over TCP (the admin socket always has them). */
  readonly metrics: MetricsSpec | undefined
}

export type LcoreSpec = Omit<LaunchSpec, 'data' | 'name' | 'onStuck'> & { readonly name: string }

/** A port and its place in a bridge. In the file both are one object. */
export interface SwitchPortSpec {
  readonly port: PortSpec
  readonly attachment: AttachmentSpec
}

/** `access`: one VLAN, untagged. `trunk`: tagged. `native-*`: a trunk whose `tag` VLAN is also taken untagged, and sent so or tagged. As OVS's `vlan_mode`. */
export type VlanMode = 'access' | 'trunk' | 'native-tagged' | 'native-untagged'

/** How a port takes part in its bridge. */
export interface AttachmentSpec {
  /** Name of the bridge. */
  readonly bridge: string
  /** Default `access` where `tag` is given, else `trunk`; as OVS's. */
  readonly vlanMode: VlanMode
  /** VLAN of an access port, native VLAN of the native modes: 0 to 4095. */
  readonly tag: number | undefined
  /** VLANs of a trunk; empty: all. */
  readonly trunks: readonly number[]
  /** Who may send from here; undefined: anybody. */
  readonly portSecurity: readonly AllowedAddress[] | undefined
  /** Kilobits a second taken from the port, 0: no limit; as OVS's `ingress_policing_rate`. */
  readonly ingressPolicingRate: number
  /** Kilobits at once; as OVS's `ingress_policing_burst`. */
  readonly ingressPolicingBurst: number
  /** Thousands of frames a second taken from the port, 0: no limit; as OVS's `ingress_policing_kpkts_rate`. */
  readonly ingressPolicingKpktsRate: number
  /** Thousands of frames at once; as OVS's `ingress_policing_kpkts_burst`. */
  readonly ingressPolicingKpktsBurst: number
  /** In bytes, the Ethernet header not counted (as OVS); red frames are dropped. Instead of `ingressPolicingRate`. */
  readonly ingressPolicer: PolicerOptions | undefined
  /** In frames. Instead of `ingressPolicingKpktsRate`. */
  readonly ingressPacketPolicer: PolicerOptions | undefined
  /** As OVS's QoS types `egress-policer` and `trtcm-policer`. In bytes, the Ethernet header not counted (as OVS). */
  readonly egressPolicer: PolicerOptions | undefined
  /** In frames. */
  readonly egressPacketPolicer: PolicerOptions | undefined
}

/** As Neutron's `fixed_ips` and `allowed_address_pairs`. */
export interface AllowedAddress {
  /** `fa:16:3e:00:00:01` */
  readonly mac: string
  /** IPv4 and IPv6 addresses or prefixes; empty: any. */
  readonly ips: readonly string[]
}

export interface BridgeSpec {
  readonly name: string
  /** Seconds after which an address that was not seen is forgotten. */
  readonly ageing: number
  /** Most addresses. */
  readonly tableSize: number
  /** Forward 01:80:c2:00:00:00 to 0f. */
  readonly forwardBpdu: boolean
  readonly staticMacs: readonly StaticMac[]
  /** Most flooded frames a second from one port, by kind; undefined: no limit. */
  readonly stormLimit: StormLimit
  readonly loopGuard: LoopGuard
  /** Local port: a TAP of the host; undefined: none. It is a port of the name of its interface. */
  readonly local: LocalPort | undefined
  /** Rules in the words of `ovs-ofctl` or as objects; undefined: none were given, and every frame is switched (`normal`). */
  readonly flows: readonly (string | FlowRule)[] | undefined
  readonly meters: readonly FlowMeter[]
  /** The user's own program, instead of flows and switching. */
  readonly program: ProgramSpec | undefined
  readonly mirrors: readonly MirrorSpec[]
}

export interface StaticMac {
  readonly mac: string
  readonly vlan: number
  /** Name of the port. */
  readonly port: string
}

export interface StormLimit {
  readonly broadcast: number | undefined
  readonly multicast: number | undefined
  readonly unknownUnicast: number | undefined
}

/** An address that moves between ports more than `moves` times within `withinMs` stays where it is for `holdMs`, and frames from it elsewhere are dropped. */
export interface LoopGuard {
  readonly moves: number
  readonly withinMs: number
  readonly holdMs: number
}

export interface LocalPort {
  /** Name of the TAP interface, at most 15 bytes. Default the bridge's. */
  readonly iface: string
  /** Its addresses with prefix lengths, such as `192.0.2.1/24`. */
  readonly addresses: readonly string[]
  readonly mac: string | undefined
}

export interface ProgramSpec {
  /** Absolute path of a TypeScript or JavaScript module whose default export makes a program. */
  readonly file: string
  /** Handed to its factory. */
  readonly data: unknown
}

/** As OVS's table `Mirror`. Empty lists with `selectAll` false select nothing. */
export interface MirrorSpec {
  readonly name: string
  readonly selectAll: boolean
  /** Ports whose received frames are mirrored. */
  readonly selectSrcPort: readonly string[]
  /** Ports whose sent frames are mirrored. */
  readonly selectDstPort: readonly string[]
  /** Only these VLANs; empty: all. */
  readonly selectVlan: readonly number[]
  /** Port that gets the copies; it gets nothing else. Either this or {@link outputVlan}. */
  readonly outputPort: string | undefined
  /** VLAN that gets the copies, by all ports that carry it: 1 to 4095. RSPAN. */
  readonly outputVlan: number | undefined
  /** Bytes of a copy that are kept, tag included: 14 to 65535; undefined: all. */
  readonly snaplen: number | undefined
}

export interface AdminSpec {
  /** Absolute path of the admin socket. */
  readonly socket: string
  /** Its permission bits. */
  readonly mode: number
}

export interface LoggingSpec {
  readonly level: LogLevel
  readonly format: 'text' | 'json'
}

export interface MetricsSpec {
  /** `127.0.0.1:9475` */
  readonly listen: string
}
