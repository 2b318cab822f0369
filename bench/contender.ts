import { crossRules, exactRules } from './flows/flows.js'
import { KernelBridge } from './kernel/bridge.js'
import { checkNetwork } from './kernel/network.js'
import { checkNodeTap, NodeTap } from './kernel/node-tap.js'
import { checkKernelOvs, KernelOvs } from './kernel/ovs.js'
import type { LoadName } from './load.js'
import { findOvs } from './ovs/find.js'
import { OvsSwitch } from './ovs/switch.js'
import { OwnSwitch } from './own/own-switch.js'
import type { Effort } from './section.js'
import type { Setup } from './setup.js'
import type { SeenFrame } from './testpmd-output.js'
import { TestpmdSwitch } from './testpmd-switch.js'
import { byRules, FULL, GUARDED, VSWITCH_PORTS } from './vswitch/roles.js'
import { VswitchSwitch } from './vswitch/switch.js'

/** A switch under measurement, in a process of its own. */
export interface RunningSwitch extends AsyncDisposable {
  readonly pid: number
  /** Rejects when the process ends by itself. */
  readonly failed: Promise<never>
  /** Resolves once both guests are connected. */
  started(): Promise<void>
  /** Called before the first frame comes, with the longest time that the measurement can take. */
  begin(milliseconds: number): Promise<void>
  /** Its process is about to be stopped for a while, */
  stopping?(): void
  /** and goes on. */
  resumed?(): void
  /** Whether it has seen all there is, where that can take longer than others need to warm up. */
  settled?(): Promise<boolean>
  /** Begins to count cycles. */
  countCycles(): Promise<void>
  /** What it did since {@link countCycles}. */
  work(): Promise<Work>
  /**
   * Looks at what came out at the guests, after the measurement.
   *
   * @throws Error when it is not what such a switch makes of it. Default: each frame is to be where it is addressed to,
   *   as it was sent.
   */
  check?(frames: readonly SeenFrame[]): void
}

/** What a switch did in some time. */
export interface Work {
  readonly frames: number
  /** Cycles spent on bursts, without polls that found nothing. */
  readonly busyCycles: number
  readonly cyclesPerSecond: number
  /** Frames it took and did not deliver. */
  readonly dropped: number
  /** Mean frames of a burst, where it tells. */
  readonly burst: number | undefined
  /** Share of the frames that another part of the switch had to decide, where it has one: upcalls. */
  readonly upcalls?: number
}

/** A way to switch frames between two ports. */
export interface Contender {
  readonly name: string
  readonly what: string
  /** The least effort for which it takes part where nobody names it. Default `quick`. */
  readonly effort?: Effort
  /** What it is measured with. Only those with the same load are compared. */
  readonly load: LoadName
  /** Throws, and says how to get it, where a program that is needed is not there. */
  check?(): void
  start(setup: Setup): RunningSwitch | Promise<RunningSwitch>
}

/** Numbers of its two ports in rules for OVS. */
const OVS_PORTS = ['1', '2'] as const

/** In the order in which they take turns. The first is what the others are compared with. */
export const CONTENDERS: readonly Contender[] = [
  {
    name: 'testpmd-io',
    what: "DPDK's test program, io forwarding between two net_vhost ports: C, nothing but forwarding",
    load: 'pair',
    start: (setup) => new TestpmdSwitch(setup, 'io'),
  },
  {
    name: 'testpmd-mac',
    what: 'the same with mac forwarding: writes both MAC addresses of every frame',
    effort: 'usual',
    load: 'pair',
    start: (setup) => new TestpmdSwitch(setup, 'mac'),
  },
  {
    name: 'testpmd-5tswap',
    what: 'the same with 5tswap forwarding: exchanges MAC addresses, IP addresses and ports of every frame',
    effort: 'full',
    load: 'pair',
    start: (setup) => new TestpmdSwitch(setup, '5tswap'),
  },
  {
    name: 'native-io',
    what: "the addon's own loop in C++, no JavaScript: what the boundary is measured against",
    load: 'pair',
    start: (setup) => new OwnSwitch(setup, 'native-io'),
  },
  {
    name: 'ts-io',
    what: 'crossConnect in TypeScript, in a Worker',
    load: 'pair',
    start: (setup) => new OwnSwitch(setup, 'ts-io'),
  },
  {
    name: 'ts-learning',
    what: 'learningSwitch in TypeScript, in a Worker',
    load: 'pair',
    start: (setup) => new OwnSwitch(setup, 'ts-learning'),
  },
  {
    name: 'ovs-normal',
    what: 'OVS-DPDK with its defaults, action NORMAL: what ts-learning is compared with',
    load: 'pair',
    check: findOvs,
    start: (setup) => OvsSwitch.start(setup),
  },
  {
    name: 'vswitch-normal',
    what: '`vswitch run` with two ports and no rules: guards, and a bridge that learns and knows VLANs',
    load: 'pair',
    start: (setup) => new VswitchSwitch(setup),
  },
  {
    name: 'vswitch-guarded',
    what: 'the same with policers of bytes and frames in both directions, and port security, that let all pass',
    effort: 'full',
    load: 'pair',
    start: (setup) => new VswitchSwitch(setup, GUARDED),
  },
  {
    name: 'vswitch-full',
    what: '`vswitch run` with all but mirrors: 100 rules, port security, policers, limits, scraped metrics',
    effort: 'usual',
    load: 'pair',
    start: (setup) => new VswitchSwitch(setup, FULL),
  },
  {
    name: 'kernel-bridge',
    what: "the Linux kernel's bridge between veth pairs, the load in AF_PACKET sockets: what containers have today",
    effort: 'usual',
    load: 'veth',
    check: () => checkNetwork('veth'),
    start: (setup) => new KernelBridge(setup),
  },
  {
    name: 'kernel-ovs',
    what: 'OVS with its datapath in the Linux kernel, action NORMAL, between the same veth pairs',
    effort: 'full',
    load: 'veth',
    check: checkKernelOvs,
    start: (setup) => KernelOvs.start(setup),
  },
  {
    name: 'node-tap',
    what: 'Node.js alone: two threads that copy frames between TAP interfaces with readSync and writeSync',
    effort: 'usual',
    load: 'tap',
    check: checkNodeTap,
    start: (setup) => new NodeTap(setup),
  },
  {
    name: 'ts-flow2',
    what: 'flowTable in TypeScript, two rules: what comes in at one port leaves by the other',
    effort: 'usual',
    load: 'pair',
    start: (setup) => new OwnSwitch(setup, 'ts-flow'),
  },
  {
    name: 'ovs-flow2',
    what: 'OVS-DPDK with the same two rules',
    effort: 'usual',
    load: 'pair',
    check: findOvs,
    start: (setup) => OvsSwitch.start(setup, crossRules(OVS_PORTS)),
  },
  {
    name: 'vswitch-flow2',
    what: '`vswitch run` with the same two rules',
    effort: 'usual',
    load: 'pair',
    start: (setup) => new VswitchSwitch(setup, byRules(crossRules(VSWITCH_PORTS))),
  },
  {
    name: 'ts-flow1000',
    what: 'flowTable, 1,000 rules of five exact fields and one for the rest; 10,000 flows',
    effort: 'usual',
    load: 'flows',
    start: (setup) => new OwnSwitch(setup, 'ts-flow', { exactRules: 1000 }),
  },
  {
    name: 'ts-flow100',
    what: 'flowTable with 100 of these rules',
    effort: 'full',
    load: 'flows',
    start: (setup) => new OwnSwitch(setup, 'ts-flow', { exactRules: 100 }),
  },
  {
    name: 'ts-flow10000',
    what: 'flowTable with 10,000 of these rules, one for each flow',
    effort: 'full',
    load: 'flows',
    start: (setup) => new OwnSwitch(setup, 'ts-flow', { exactRules: 10_000 }),
  },
  {
    name: 'ovs-flow1000',
    what: 'OVS-DPDK with the same rules and flows',
    effort: 'usual',
    load: 'flows',
    check: findOvs,
    start: (setup) => OvsSwitch.start(setup, exactRules(OVS_PORTS)),
  },
  {
    name: 'vswitch-flow1000',
    what: '`vswitch run` with the same rules and flows',
    effort: 'usual',
    load: 'flows',
    start: (setup) => new VswitchSwitch(setup, byRules(exactRules(VSWITCH_PORTS))),
  },
]

/** Those that take turns where nobody names any. */
export function contendersOf(effort: Effort): Contender[] {
  return CONTENDERS.filter(
    (one) => EFFORTS.indexOf(one.effort ?? 'quick') <= EFFORTS.indexOf(effort),
  )
}

const EFFORTS: readonly Effort[] = ['quick', 'usual', 'full']

/** Pairs whose ratio is shown: each against the first, the boundary to JavaScript, and OVS-DPDK with the same task. */
export const RATIOS: readonly (readonly [string, string])[] = [
  ['native-io', 'testpmd-io'],
  ['ts-io', 'testpmd-io'],
  ['ts-learning', 'testpmd-io'],
  ['ts-learning', 'testpmd-mac'],
  ['ts-io', 'native-io'],
  ['ts-learning', 'ovs-normal'],
  ['vswitch-normal', 'ovs-normal'],
  ['vswitch-guarded', 'vswitch-normal'],
  ['vswitch-full', 'vswitch-normal'],
  ['ts-flow2', 'ovs-flow2'],
  ['vswitch-flow2', 'ovs-flow2'],
  ['ts-flow1000', 'ovs-flow1000'],
  ['vswitch-flow1000', 'ovs-flow1000'],
]
