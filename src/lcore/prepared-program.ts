import { Worker } from 'node:worker_threads'
import { DatapathError } from '../errors.js'
import { endWorker } from './end-worker.js'
import type { ProgramModule } from './lcore.js'

/**
 * A Worker that loads the module of a program while the datapath still opens: both take a tenth of a second. It becomes an
 * lcore when it is given to {@link Datapath.launch}, and ends when it is closed instead.
 */
export class PreparedProgram implements AsyncDisposable {
  /** @internal URL of the module. */
  readonly url: string
  readonly #worker: Worker
  #isTaken = false
  /** Why it cannot become an lcore any more. */
  #end: string | undefined

  /**
   * @param module - its default export makes the program; what is wrong with it is told by {@link Datapath.launch}
   * @param name - of the thread, for debuggers
   * @throws {@link DatapathError} `ERR_PROGRAM` for a relative path
   */
  constructor(module: ProgramModule, name = 'prepared') {
    this.url = resolveModule(module)
    this.#worker = new Worker(new URL('./worker-main.cjs', import.meta.url), {
      workerData: { url: this.url },
      name,
    })
    this.#worker.once('error', this.#onError)
    this.#worker.once('exit', this.#onExit)
  }

  readonly #onError = (error: Error) => {
    this.#end = error.message
  }

  readonly #onExit = (code: number) => {
    this.#end ??= `it ended with code ${code}`
  }

  /** Ends it, unless it has become an lcore. */
  async close(): Promise<void> {
    if (this.#isTaken) return
    this.#end ??= 'it was closed'
    if (this.#worker.threadId === -1) return
    // It ends by itself, as Node.js 20 may abort when a thread is ended in which V8 compiles.
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#worker.postMessage(undefined)
    await endWorker(this.#worker, ended)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal The Worker, for the lcore `name`. @throws DatapathError `ERR_PROGRAM` when it has one already, or ended */
  take(name: string): Worker {
    const why = this.#isTaken ? 'its prepared program is an lcore already' : this.#end
    if (why !== undefined) {
      throw new DatapathError('ERR_PROGRAM', `lcore ${name} did not start: ${why}; prepare another`)
    }
    this.#isTaken = true
    this.#worker.off('error', this.#onError)
    this.#worker.off('exit', this.#onExit)
    return this.#worker
  }
}

/** The URL of a module, or a specifier for the Worker to resolve. */
export function resolveModule(module: ProgramModule): string {
  if (module instanceof URL) return module.href
  // A bare specifier is resolved in the Worker, as an import in this package; a path would be meant from elsewhere.
  if (module.startsWith('.')) {
    throw new DatapathError(
      'ERR_PROGRAM',
      `'${module}' is relative; give new URL('${module}', import.meta.url)`,
    )
  }
  return module.startsWith('/') ? new URL(`file://${module}`).href : module
}
