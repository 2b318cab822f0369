import { Burst } from '../burst/burst.js'
import { DatapathError, nativeCall } from '../errors.js'
import { binding, type NativeTrialPlan, type NativeTrialResult } from '../native/binding.js'
import type {
  PortDirectory,
  Program,
  ProgramFactory,
  ProgramFunction,
} from '../programs/program.js'
import { burstMemory } from './burst-memory.js'
import type { ProgramEvent } from './events.js'
import { LcoreLoop } from './loop.js'
import { Thrower } from './thrower.js'

export interface RunnerOptions {
  burst: number
  idle: 'spin' | 'adaptive'
  maxSleepMs: number
  budgetMs: number
  mayBlock: boolean
  ports: PortList
  onProgramEvent(event: Omit<ProgramEvent, 'lcore'>): void
}

/** Ports by id and name, in a form that can be posted to a Worker. */
export type PortList = readonly (readonly [id: number, name: string])[]

/** An lcore on the thread that polls: the loop, its program, and what can be asked of them. */
export class LcoreRunner {
  readonly index: number
  readonly #native
  readonly #loop: LcoreLoop
  readonly #thrower: Thrower
  #ports: PortDirectory

  constructor(options: RunnerOptions) {
    this.#native = nativeCall(() => binding.createLcore(options.burst, () => this.#loop.turn()))
    this.index = this.#native.index
    this.#ports = directoryOf(options.ports)
    this.#thrower = new Thrower(options.onProgramEvent)
    const memory = burstMemory(this.#native, binding.packetMemory())
    const burst = new Burst(memory, this.#native)
    this.#loop = new LcoreLoop(this.#native, burst, memory.clock, DROP_ALL, {
      idle: options.idle,
      maxSleepMs: options.maxSleepMs,
      budgetMs: options.budgetMs,
      mayBlock: options.mayBlock,
      onError: (error, program, inRow) => this.#thrower.note(error, program, inRow),
    })
  }

  /** Makes a program and gives it the next burst. The one before it is closed. */
  async load(make: ProgramFactory, data: unknown): Promise<void> {
    const made = await make({ ports: this.#ports, lcore: this.index, data })
    this.use(toProgram(made))
  }

  use(program: Program): void {
    program.portsChanged?.(this.#ports)
    const before = this.#loop.program
    this.#thrower.reset()
    this.#loop.program = program
    before.close?.()
  }

  start(): void {
    this.#loop.start()
  }

  setPorts(ports: PortList): void {
    this.#ports = directoryOf(ports)
    this.#loop.program.portsChanged?.(this.#ports)
  }

  call(message: unknown): unknown {
    const { program } = this.#loop
    if (program.message === undefined) {
      throw new DatapathError(
        'ERR_PROGRAM',
        `program ${program.name ?? '(unnamed)'} takes no messages`,
      )
    }
    return program.message(message)
  }

  /** Forwards in C++ alone; for the benchmark. */
  nativeIo(milliseconds: number): number {
    return this.#native.nativeIo(milliseconds)
  }

  /** Sends and counts frames in C++ alone; for the benchmark. */
  trial(plan: NativeTrialPlan): NativeTrialResult {
    return this.#native.trial(plan)
  }

  stop(): void {
    this.#loop.stop()
    try {
      this.#loop.program.close?.()
    } finally {
      this.#native.close()
    }
  }
}

const DROP_ALL: Program = { name: 'drop', burst() {} }

/** A program, from what a factory or a caller gave. */
export function toProgram(given: unknown): Program {
  if (typeof given === 'function') return { name: given.name, burst: given as ProgramFunction }
  if (
    typeof given === 'object' &&
    given !== null &&
    'burst' in given &&
    typeof given.burst === 'function'
  ) {
    return given as Program
  }
  throw new DatapathError(
    'ERR_PROGRAM',
    `a program is a function of a burst or an object with a method 'burst', not ${given === null ? 'null' : typeof given}`,
  )
}

function directoryOf(ports: PortList): PortDirectory {
  return { ids: new Map(ports.map(([id, name]) => [name, id])), names: new Map(ports) }
}
