/**
 * What can be asked of a running switch. The admin socket serves it, the command line prints it.
 *
 * @packageDocumentation
 */
import type { Readable } from 'node:stream'
import type { FlowStatus, LcoreCounters, PortCounters, PortState, PortStatus } from 'dpdk-vhost'
import type { CaptureOptions, CaptureSpec, InterfaceCounters } from 'dpdk-vhost/capture'
import type { VlanMode } from './spec.js'

/**
 * All methods throw `ConfigError` for input that cannot be (HTTP 400), {@link NotFound} for names of nothing (404),
 * `DatapathError` for what DPDK refuses (409).
 */
export interface SwitchControl {
  show(): SwitchView
  ports(): PortView[]
  lcores(): Promise<LcoreView[]>
  stats(): StatsView
  /** Addresses of a bridge. */
  mac(bridge: string): MacView[]
  /** Forgets the addresses learnt; returns how many. */
  macFlush(bridge: string): number
  /** Rules of a bridge, the most important first. @param selection - as of `ovs-ofctl dump-flows` */
  flows(bridge: string, selection?: string): FlowView[]
  /** Rules of a bridge with a cookie, at most a thousand, in the order they came: cheap, however many rules there are. */
  flowsLabelled(bridge: string): FlowView[]
  /** What the compiler made of the rules, as text for people. */
  flowsExplain(bridge: string): Promise<ExplainView>
  /** Answers with what is probably not meant, a line each. */
  flowAdd(bridge: string, rules: readonly string[]): Promise<{ warnings: readonly string[] }>
  flowModify(bridge: string, rule: string, strict: boolean): Promise<number>
  flowDelete(bridge: string, selection: string, strict: boolean): Promise<number>
  /** Puts these rules in place of all. Rules that stay the same keep their counters. */
  flowReplace(
    bridge: string,
    rules: readonly string[],
  ): Promise<{ added: number; deleted: number; warnings: readonly string[] }>
  /** @param options - a port as in the file */
  portAdd(options: unknown): Promise<PortView>
  portDelete(name: string): Promise<void>
  /** @param changes - keys of a port as in the file; what cannot change live has the port made anew, and the answer says so */
  portSet(
    name: string,
    changes: Readonly<Record<string, unknown>>,
  ): Promise<{ port: PortView; remade: boolean }>
  /** Loads a TypeScript or JavaScript file as the program of a bridge, in place of what decides there now. */
  programLoad(bridge: string, file: string, data: unknown): Promise<ProgramView>
  /** Back to the bridge's flows, or to switching. */
  programUnload(bridge: string): Promise<void>
  /** Begins a capture. It ends with its stream. */
  capture(request: CaptureRequest): Promise<CaptureAnswer>
  captures(): CaptureView[]
  /** Ends a capture: its stream gets what is left, and the statistics. */
  captureEnd(id: number): Promise<void>
  /** Reads the file again and applies the difference. */
  reload(): Promise<ReloadView>
  /** Begins the end: drains, closes, and lets the process exit. */
  stop(): void
  /** Metrics in Prometheus' text format, in UTF-8: of hundreds of ports a megabyte, which is sent as it is. */
  metrics(): Promise<Buffer>
  /** Whether it is what its configuration says. */
  ready(): ReadyView
}

/** A name of nothing; served as 404. */
export class NotFound extends Error {
  override readonly name = 'NotFound'
  readonly code = 'ERR_NOT_FOUND'
}

export interface SwitchView {
  readonly version: string
  readonly dpdkVersion: string
  readonly pid: number
  /** Seconds since the start. */
  readonly uptime: number
  /** Path of the configuration. */
  readonly config: string
  readonly memory: {
    readonly kind: 'hugepages' | 'memfd'
    readonly mib: number
    readonly frames: number
  }
  readonly bridges: readonly BridgeView[]
  readonly lcores: readonly string[]
}

export interface BridgeView {
  readonly name: string
  readonly decides: 'normal' | 'flows' | 'program'
  readonly rules: number
  readonly program: ProgramView | undefined
  readonly macs: {
    readonly size: number
    readonly limit: number
    readonly moves: number
    readonly flaps: number
  }
  readonly mirrors: readonly MirrorView[]
  readonly ports: readonly PortView[]
}

export interface MirrorView extends MirrorCounters {
  readonly name: string
  /** Either this or `outputVlan`. */
  readonly outputPort: string | undefined
  readonly outputVlan: number | undefined
  readonly snaplen: number | undefined
}

export interface ProgramView {
  readonly file: string
  /** When it was loaded, milliseconds since the epoch. */
  readonly loadedAt: number
  /** It threw too often and was put aside: its frames are dropped. */
  readonly aside: boolean
  readonly errors: number
}

export interface PortView {
  readonly id: number
  readonly name: string
  readonly bridge: string
  readonly type: 'dpdkvhostuserclient' | 'dpdkvhostuser' | 'dpdk'
  /** The socket or the device arguments. */
  readonly path: string
  readonly role: 'client' | 'server' | undefined
  readonly state: PortState
  readonly status: PortStatus
  readonly vlanMode: VlanMode
  readonly tag: number | undefined
  readonly trunks: readonly number[]
  readonly mtu: number
  /** Queue pairs that a guest can have; rx queues of a device. */
  readonly queues: number
}

/** A rule and its counters. */
export interface FlowView extends Omit<FlowStatus, 'cookie'> {
  /** Hexadecimal, `0x1f`. */
  readonly cookie: string
}

export interface ExplainView {
  /** Each table and how it is searched. */
  readonly tables: unknown
  /** The generated function. */
  readonly source: string
}

export interface MacView {
  readonly port: string
  readonly portId: number
  readonly vlan: number
  readonly mac: string
  /** Seconds; 0 for static entries. */
  readonly age: number
  readonly static: boolean
}

export interface LcoreView {
  readonly name: string
  readonly index: number
  readonly cpu: number | undefined
  readonly counters: LcoreCounters
  /** Rx queues it polls. */
  readonly rxQueues: readonly {
    readonly port: string
    readonly queue: number
    readonly enabled: boolean
    readonly pinned: boolean
  }[]
}

export interface StatsView {
  readonly ports: Readonly<Record<string, PortCounters & { readonly guards: GuardCounters }>>
  readonly bridges: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly mirrors: readonly (MirrorCounters & { readonly bridge: string; readonly name: string })[]
}

/** What a mirror sent to its output port, as OVS's `tx_packets` and `tx_bytes`. */
export interface MirrorCounters {
  readonly frames: number
  /** Without FCS. */
  readonly bytes: number
}

/** Frames that guards dropped, of one port. */
export interface GuardCounters {
  readonly ingressPoliced: number
  readonly portSecurity: number
  readonly vlan: number
  readonly storm: number
  readonly loop: number
  readonly egressPoliced: number
}

/** Which ports, and what of them. Without ports: all, and those that come later. */
export type CaptureRequest = Omit<CaptureOptions, 'ports'> & {
  readonly ports?: readonly string[] | undefined
}

export interface CaptureAnswer {
  readonly id: number
  /** pcapng. */
  readonly stream: Readable
}

export interface CaptureView extends Omit<CaptureSpec, 'ports'> {
  readonly id: number
  /** Counters of each port, by its name. */
  readonly ports: Readonly<Record<string, InterfaceCounters>>
}

export interface ReadyView {
  /** All ports of the configuration exist and all lcores run. Guests may be there or not. */
  readonly ready: boolean
  /** What is not, one line each. */
  readonly problems: readonly string[]
}

export interface ReloadView {
  /** What was done, one line each: `port vhost2: added`. Empty: nothing had changed. */
  readonly changes: readonly string[]
  /** What could not be done live: `datapath.memoryMiB: needs a restart`. */
  readonly pending: readonly string[]
  /** What the file says and probably does not mean, one line each, with its place. */
  readonly warnings: readonly string[]
}
