import { type LcoreCounters, readLcoreCounters } from '../counters/counters.js'
import type { NativeTrialPlan, NativeTrialResult } from '../native/binding.js'
import type { Program, ProgramFunction } from '../programs/program.js'
import type { PortList } from './runner.js'

/** A module whose default export makes a program: a URL, or a specifier such as `dpdk-vhost/programs/learning-switch`. */
export type ProgramModule = URL | string

/** A thread that polls, seen from the thread that opened the datapath. */
export abstract class Lcore implements AsyncDisposable {
  /** Name in events, metrics and errors. */
  readonly name: string
  /** Index among the lcores of the process, 0 for the first. */
  readonly index: number
  /** Where it polls. */
  abstract readonly thread: 'worker' | 'main'
  /** Ports whose rx queues it may poll; `pinned`: only those pinned to it. */
  readonly ports: 'all' | 'pinned' | ReadonlySet<string>

  protected constructor(name: string, index: number, ports: 'all' | 'pinned' | readonly string[]) {
    this.name = name
    this.index = index
    this.ports = typeof ports === 'string' ? ports : new Set(ports)
  }

  /** Reads its counters, without disturbing it. */
  counters(): LcoreCounters {
    return readLcoreCounters(this.index)
  }

  /**
   * Hands a message to the program's `message` and resolves to what that returns; both are structured clones.
   *
   * @throws {@link DatapathError} `ERR_PROGRAM` when the program takes no messages; what the program throws is passed on
   */
  abstract call(message: unknown): Promise<unknown>

  /**
   * Replaces the program between two bursts. Ports and rings stay as they are.
   *
   * @param program - for an lcore on this thread a program; for one in a Worker a module
   * @param data - handed to the factory of a module
   * @throws {@link DatapathError} `ERR_PROGRAM` when it cannot be made; the old one then goes on
   */
  abstract replace(
    program: ProgramModule | Program | ProgramFunction,
    data?: unknown,
  ): Promise<void>

  /** Ends it; its rx queues go to the other lcores that may poll them. */
  abstract stop(): Promise<void>

  /** @internal Tells its program of the ports. */
  abstract setPorts(ports: PortList): void

  /** @internal Forwards frames in C++ alone for that long; resolves to their number. The yardstick of the benchmark. */
  abstract nativeIo(milliseconds: number): Promise<number>

  /** @internal Sends and counts frames between two ports, in C++ alone. The tester of the benchmark. */
  abstract trial(plan: NativeTrialPlan): Promise<NativeTrialResult>

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}
