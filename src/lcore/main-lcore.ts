import type { RunSpec } from '../config/index.js'
import { DatapathError } from '../errors.js'
import type { NativeTrialPlan, NativeTrialResult } from '../native/binding.js'
import type { Program, ProgramFunction } from '../programs/program.js'
import type { ProgramEvent } from './events.js'
import { Lcore, type ProgramModule } from './lcore.js'
import { LcoreRunner, type PortList, toProgram } from './runner.js'

/** An lcore on this thread, which goes on serving timers and sockets. */
export class MainLcore extends Lcore {
  readonly thread = 'main'
  readonly #runner: LcoreRunner
  readonly #onEnd: (lcore: Lcore) => Promise<void>
  #stopped: Promise<void> | undefined

  constructor(
    program: Program | ProgramFunction,
    options: RunSpec,
    name: string,
    ports: PortList,
    onProgramEvent: (event: ProgramEvent) => void,
    onEnd: (lcore: Lcore) => Promise<void>,
  ) {
    const runner = new LcoreRunner({
      burst: options.burst,
      idle: options.idle,
      maxSleepMs: options.maxSleepMs,
      budgetMs: options.budgetMicroseconds / 1000,
      mayBlock: false,
      ports,
      onProgramEvent: (event) => onProgramEvent({ ...event, lcore: name }),
    })
    super(name, runner.index, options.ports)
    this.#runner = runner
    this.#onEnd = onEnd
    try {
      runner.use(toProgram(program))
    } catch (error) {
      runner.stop()
      throw error
    }
    runner.start()
  }

  async call(message: unknown): Promise<unknown> {
    return this.#runner.call(structuredClone(message))
  }

  async replace(program: ProgramModule | Program | ProgramFunction): Promise<void> {
    if (typeof program === 'string' || program instanceof URL) {
      throw new DatapathError(
        'ERR_PROGRAM',
        `lcore ${this.name} runs on this thread: give it a program, not a module`,
      )
    }
    this.#runner.use(toProgram(program))
  }

  stop(): Promise<void> {
    this.#stopped ??= (async () => {
      this.#runner.stop()
      await this.#onEnd(this)
    })()
    return this.#stopped
  }

  setPorts(ports: PortList): void {
    this.#runner.setPorts(ports)
  }

  async nativeIo(milliseconds: number): Promise<number> {
    return this.#runner.nativeIo(milliseconds)
  }

  async trial(plan: NativeTrialPlan): Promise<NativeTrialResult> {
    return this.#runner.trial(plan)
  }
}
