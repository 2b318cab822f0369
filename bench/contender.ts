import { OwnSwitch } from './own/own-switch.js'
import type { Setup } from './setup.js'
import { TestpmdSwitch } from './testpmd-switch.js'

/** A switch under measurement, in a process of its own. */
export interface RunningSwitch extends AsyncDisposable {
  readonly pid: number
  /** Rejects when the process ends by itself. */
  readonly failed: Promise<never>
  /** Resolves once both guests are connected. */
  started(): Promise<void>
  /** Called before the first frame comes, with the longest time that the measurement can take. */
  begin(milliseconds: number): Promise<void>
  /** Begins to count cycles. */
  countCycles(): Promise<void>
  /** What it did since {@link countCycles}. */
  work(): Promise<Work>
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
}

/** A way to switch frames between two ports. */
export interface Contender {
  readonly name: string
  readonly what: string
  start(setup: Setup): RunningSwitch
}

/** In the order in which they take turns. The first is what the others are compared with. */
export const CONTENDERS: readonly Contender[] = [
  {
    name: 'testpmd-io',
    what: "DPDK's test program, io forwarding between two net_vhost ports: C, nothing but forwarding",
    start: (setup) => new TestpmdSwitch(setup),
  },
  {
    name: 'native-io',
    what: "the addon's own loop in C++, no JavaScript: what the boundary is measured against",
    start: (setup) => new OwnSwitch(setup, 'native-io'),
  },
  {
    name: 'ts-io',
    what: 'crossConnect in TypeScript, in a Worker',
    start: (setup) => new OwnSwitch(setup, 'ts-io'),
  },
  {
    name: 'ts-learning',
    what: 'learningSwitch in TypeScript, in a Worker',
    start: (setup) => new OwnSwitch(setup, 'ts-learning'),
  },
]

/** Pairs whose ratio is shown: each against the first, and the boundary to JavaScript. */
export const RATIOS: readonly (readonly [string, string])[] = [
  ['native-io', 'testpmd-io'],
  ['ts-io', 'testpmd-io'],
  ['ts-learning', 'testpmd-io'],
  ['ts-io', 'native-io'],
]
