/**
 * What decides the frames: programs, and how an lcore makes one. A program that imports `Burst`, `DROP` and the like from
 * here, and not from `dpdk-vhost`, lets its Worker load a few kilobytes and not the side that controls.
 *
 * @packageDocumentation
 */
import type { Burst } from '../burst/burst.js'

export {
  Burst,
  type BurstMemory,
  type BurstOperations,
  BurstWord,
  DROP,
  MAX_BURST,
  MAX_FRAMES,
  MAX_PORTS,
} from '../burst/burst.js'
export { ExpectedSources } from '../burst/expected-sources.js'
export { ConfigError, type Problem } from '../config/config-error.js'

/** A program in its shortest form: one function, called for every burst. */
export type ProgramFunction = (burst: Burst) => void

/**
 * Decides what becomes of each frame. It runs on an lcore's thread, between two polls; it must not block, and
 * on the path of a burst it should allocate nothing.
 *
 * Under load its thread does other things every 0.25 ms (on the main thread every `budgetMicroseconds`): promises that a burst
 * resolved and what it left to `process.nextTick` always, the event loop when it has something to do, as timers that are due,
 * messages, `setImmediate`. What does not keep a process alive, `setImmediate(...).unref()`, can take a tenth of a second.
 */
export interface Program {
  /** Shown in events, metrics and errors. */
  readonly name?: string
  /** Called with every burst of received frames. */
  burst(burst: Burst): void
  /** Called when all rx queues were empty, at most once a poll; frames it adds with `burst.create` are sent. While a program has it, the lcore does not sleep unless it returns `false`. */
  idle?(burst: Burst): boolean | void
  /** Called on the lcore's thread before the first burst and whenever ports were added or removed. */
  portsChanged?(ports: PortDirectory): void
  /** Answers `Lcore.call`. The argument and the result are structured clones. */
  message?(message: unknown): unknown
  /** Called when the program is replaced or its lcore ends. */
  close?(): void
}

/** What a program knows of the datapath's ports: names and ids, nothing of sockets. */
export interface PortDirectory {
  /** Id of each port by name. */
  readonly ids: ReadonlyMap<string, number>
  /** Name of each port by id. */
  readonly names: ReadonlyMap<number, string>
}

/** What a program is made with. */
export interface ProgramContext {
  /** The ports at this moment; later changes arrive through {@link Program.portsChanged}. */
  readonly ports: PortDirectory
  /** Index of the lcore, 0 for the first. */
  readonly lcore: number
  /** The `data` given to `launch`, as a structured clone. */
  readonly data: unknown
}

/** The default export of a program module. */
export type ProgramFactory = (
  context: ProgramContext,
) => Program | ProgramFunction | Promise<Program | ProgramFunction>
