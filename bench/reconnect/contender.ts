import type { Memory } from '../memory.js'
import type { BenchProcess } from '../process.js'
import type { Cpus } from '../setup.js'
import { ovsDpdk, ovsDpdkLean } from './ovs-switch.js'
import { ownSwitch } from './own-switch.js'
import { testpmdSwitch } from './testpmd-switch.js'

/** What a switch is given: the sockets on which two guests listen, and where it may run. */
export interface SwitchSetup {
  readonly sockets: readonly [string, string]
  /** Folder for its files, removed after it. */
  readonly folder: string
  readonly cpus: Cpus
  readonly memory: Memory
}

/** What keeps a switch running, as a machine's service manager does. */
export interface Supervisor extends AsyncDisposable {
  /** Starts the switch; nothing but its process has to be started for frames to flow. */
  start(): BenchProcess
}

/** A switch whose restart is measured. */
export interface Contender {
  readonly name: string
  readonly what: string
  /**
   * Its version, where it is another program than this package or testpmd.
   *
   * @throws Error that says what is missing and how to install it
   */
  version(): string | undefined
  /** Everything that outlives the switch: its configuration, its database. */
  prepare(setup: SwitchSetup): Promise<Supervisor>
}

/** In the order in which they take turns. */
export const CONTENDERS: readonly Contender[] = [ownSwitch, ovsDpdk, ovsDpdkLean, testpmdSwitch]

/** What the others are compared with. */
export const REFERENCE = ovsDpdk.name
