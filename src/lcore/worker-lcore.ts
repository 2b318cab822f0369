import type { Worker } from 'node:worker_threads'
import type { LaunchSpec } from '../config/index.js'
import { DatapathError, type DatapathErrorCode } from '../errors.js'
import { binding, type NativeTrialPlan, type NativeTrialResult } from '../native/binding.js'
import type { ProgramEvent } from './events.js'
import { Lcore, type ProgramModule } from './lcore.js'
import type { PostedError, Reply, Request, WorkerStart } from './messages.js'
import { PreparedProgram, resolveModule } from './prepared-program.js'
import type { PortList } from './runner.js'

/** How long a Worker has to end by itself before it is terminated. */
const STOP_MS = 2000

/** What the datapath hears of an lcore in a Worker. */
export interface WorkerListener {
  onProgramEvent(event: ProgramEvent): void
  /** Called once; `reason` is set when nobody asked for the end. */
  onEnd(lcore: Lcore, reason: string | undefined): Promise<void>
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

  private constructor(
    worker: Worker,
    index: number,
    name: string,
    options: LaunchSpec,
    listener: WorkerListener,
  ) {
    super(name, index, options.ports)
    this.#worker = worker
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
        const reason = this.#stopping
          ? undefined
          : (trouble ?? `its thread ended with code ${code}`)
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
    return new WorkerLcore(worker, index, name, options, listener)
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
    await this.#ask({ kind: 'replace', program: { url: resolveModule(program), data } })
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  setPorts(ports: PortList): void {
    this.#post({ kind: 'ports', ports })
  }

  nativeIo(milliseconds: number): Promise<number> {
    return this.#ask({ kind: 'nativeIo', milliseconds }) as Promise<number>
  }

  trial(plan: NativeTrialPlan): Promise<NativeTrialResult> {
    return this.#ask({ kind: 'trial', plan }) as Promise<NativeTrialResult>
  }

  async #stop(): Promise<void> {
    this.#ask({ kind: 'stop' }).catch(() => {})
    // A program that never returns does not hear of it.
    const impatience = setTimeout(() => void this.#worker.terminate(), STOP_MS)
    await this.#ended
    clearTimeout(impatience)
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
