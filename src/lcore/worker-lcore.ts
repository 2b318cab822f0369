import type { Worker } from 'node:worker_threads'
import type { LaunchSpec } from '../config/index.js'
import { DatapathError, type DatapathErrorCode } from '../errors.js'
import {
  binding,
  type NativeBurstInHand,
  type NativeTrialPlan,
  type NativeTrialResult,
} from '../native/binding.js'
import { BurstWatch } from './burst-watch.js'
import { endWorker } from './end-worker.js'
import type { ProgramEvent } from './events.js'
import { Lcore, type ProgramModule } from './lcore.js'
import type { ModuleSource, PostedError, Reply, Request, WorkerStart } from './messages.js'
import { PreparedProgram, resolveModule } from './prepared-program.js'
import type { PortList } from './runner.js'

/** What the datapath hears of an lcore in a Worker. */
export interface WorkerListener {
  onProgramEvent(event: ProgramEvent): void
  /** Called once; `reason` is set when nobody asked for the end. */
  onEnd(lcore: WorkerLcore, reason: string | undefined): Promise<void>
}

let exitWatched = false

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

/** An lcore in a Worker of its own. */
export class WorkerLcore extends Lcore {
  readonly thread = 'worker'
  readonly #worker: Worker
  readonly #ended: Promise<void>
  readonly #pending = new Map<number, PromiseWithResolvers>()
  #nextId = 1
  /** Set once its thread has ended: nothing is answered any more. */
  #over: DatapathError | undefined
  #stopping: Promise<void> | undefined
  #program: ModuleSource
  #stuck: string | undefined
  #portNames: ReadonlyMap<number, string>

  private constructor(
    worker: Worker,
    index: number,
    name: string,
    options: LaunchSpec,
    program: ModuleSource,
    ports: PortList,
    listener: WorkerListener,
  ) {
    super(name, index, options.ports)
    this.#worker = worker
    this.#program = program
    this.#portNames = new Map(ports)
    const watch = new BurstWatch(index, options.burstTimeoutMs, (burst) => {
      listener.onProgramEvent(this.#giveUp(burst, options.burstTimeoutMs))
    })
    let trouble: string | undefined
    worker.on('message', (reply: Reply) => {
      if (reply.kind === 'program') listener.onProgramEvent({ ...reply.event, lcore: name })
      else if (reply.kind === 'answer') this.#settle(reply.id)?.resolve(reply.value)
      else if (reply.kind === 'refusal') this.#settle(reply.id)?.reject(unpost(reply.error))
    })
    worker.on('error', (error) => {
      trouble = error.stack ?? error.message
    })
    this.#ended = new Promise((resolve) => {
      worker.once('exit', (code) => {
        watch[Symbol.dispose]()
        const reason = this.#stopping
          ? undefined
          : (this.#stuck ?? trouble ?? `its thread ended with code ${code}`)
        this.#over = new DatapathError(
          'ERR_CLOSED',
          `lcore ${name} has ended${reason ? `: ${reason}` : ''}`,
        )
        for (const { reject } of this.#pending.values()) reject(this.#over)
        this.#pending.clear()
        resolve(listener.onEnd(this, reason))
      })
    })
  }

  /**
   * Makes an lcore of a Worker and resolves once its program runs.
   *
   * @throws {@link DatapathError} `ERR_PROGRAM` when the module makes no program or was launched before, `ERR_CPU`, `ERR_TOO_MANY_LCORES`
   */
  static async start(
    module: ProgramModule | PreparedProgram,
    options: LaunchSpec,
    name: string,
    ports: PortList,
    listener: WorkerListener,
  ): Promise<WorkerLcore> {
    if (!exitWatched) {
      // Node waits for its Workers when it exits, and a sleeping one does not hear of it.
      process.once('exit', () => binding.endSleeps())
      exitWatched = true
    }
    const start: WorkerStart = {
      burst: options.burst,
      idle: options.idle,
      maxSleepMs: options.maxSleepMs,
      cpu: options.cpu,
      ports,
      data: options.data,
    }
    const prepared = module instanceof PreparedProgram ? module : new PreparedProgram(module, name)
    const worker = prepared.take(name)
    worker.postMessage(start)
    const index = await started(worker, name)
    const program = { url: prepared.url, data: options.data }
    return new WorkerLcore(worker, index, name, options, program, ports, listener)
  }

  call(message: unknown): Promise<unknown> {
    return this.#ask({ kind: 'call', message })
  }

  async replace(program: unknown, data?: unknown): Promise<void> {
    if (typeof program !== 'string' && !(program instanceof URL)) {
      throw new DatapathError(
        'ERR_PROGRAM',
        `lcore ${this.name} runs in a Worker: give it a module, not a program`,
      )
    }
    const source = { url: resolveModule(program), data }
    await this.#ask({ kind: 'replace', program: source })
    this.#program = source
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** Whether it ended because its program did not return from a burst. */
  get isStuck(): boolean {
    return this.#stuck !== undefined
  }

  /** What it runs: the module it was started with, or that replaced it. */
  get program(): ModuleSource {
    return this.#program
  }

  setPorts(ports: PortList): void {
    this.#portNames = new Map(ports)
    this.#post({ kind: 'ports', ports })
  }

  nativeIo(milliseconds: number): Promise<number> {
    return this.#ask({ kind: 'nativeIo', milliseconds }) as Promise<number>
  }

  trial(plan: NativeTrialPlan): Promise<NativeTrialResult> {
    return this.#ask({ kind: 'trial', plan }) as Promise<NativeTrialResult>
  }

  /** Ends a thread that does not hear of anything any more; what it has in hand is freed with it. */
  #giveUp({ port: id, queue, frames, first }: NativeBurstInHand, timeoutMs: number): ProgramEvent {
    const port = this.#portNames.get(id) ?? `port ${id}`
    const { url } = this.#program
    const program = url.slice(url.lastIndexOf('/') + 1)
    const hex = Buffer.from(first).toString('hex')
    this.#stuck =
      `its program (${program}) did not return for ${timeoutMs / 1000} s from a burst of ${frames} frames ` +
      `of ${port}, rx queue ${queue}, which begins with ${hex}`
    const burst = { port, queue, frames, first }
    void this.#worker.terminate()
    return { lcore: this.name, program, problem: 'stuck', times: 1, error: this.#stuck, burst }
  }

  async #stop(): Promise<void> {
    this.#ask({ kind: 'stop' }).catch(() => {})
    await endWorker(this.#worker, this.#ended)
  }

  #ask(request: Without<Extract<Request, { id: number }>, 'id'>): Promise<unknown> {
    if (this.#over) return Promise.reject(this.#over)
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      this.#post({ ...request, id } as Request)
    })
  }

  #post(request: Request): void {
    this.#worker.postMessage(request)
    binding.wakeLcore(this.index)
  }

  #settle(id: number): PromiseWithResolvers | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }
}

/** Index of the lcore that a new Worker became. */
function started(worker: Worker, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void) => {
      worker.off('message', onMessage)
      worker.off('error', onError)
      worker.off('exit', onExit)
      action()
    }
    const onMessage = (reply: Reply) => {
      if (reply.kind === 'started') settle(() => resolve(reply.index))
      else if (reply.kind === 'failed') settle(() => reject(unpost(reply.error)))
    }
    const refuse = (how: string, cause?: Error) =>
      settle(() => reject(new DatapathError('ERR_PROGRAM', `lcore ${name} ${how}`, { cause })))
    const onError = (error: Error) => refuse(`did not start: ${error.message}`, error)
    const onExit = (code: number) => refuse(`ended with code ${code} before its program ran`)
    worker.on('message', onMessage)
    worker.on('error', onError)
    worker.on('exit', onExit)
  })
}

interface PromiseWithResolvers {
  resolve(value: unknown): void
  reject(error: unknown): void
}

function unpost(posted: PostedError): DatapathError {
  const error = new DatapathError(posted.code as DatapathErrorCode, posted.message)
  if (posted.stack !== undefined) error.stack = posted.stack
  return error
}
