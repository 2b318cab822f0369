import { parentPort, workerData } from 'node:worker_threads'
import { DatapathError, nativeCall } from '../errors.js'
import { binding } from '../native/binding.js'
import type { ProgramFactory } from '../programs/program.js'
import { WORKER_BUDGET_MS } from './loop.js'
import type { PostedError, Reply, Request, WorkerModule, WorkerStart } from './messages.js'
import { LcoreRunner, toProgram } from './runner.js'

/** Imports the module of a program. */
export type ImportProgram = (url: string) => Promise<{ readonly default?: unknown }>

function posted(error: unknown): PostedError {
  if (!(error instanceof Error))
    return { message: String(error), stack: undefined, code: 'ERR_PROGRAM' }
  const code = error instanceof DatapathError ? error.code : 'ERR_PROGRAM'
  return { message: error.message, stack: error.stack, code }
}

async function factoryOf(url: string, importProgram: ImportProgram): Promise<ProgramFactory> {
  const { default: made } = await importProgram(url)
  if (typeof made === 'function') return made as ProgramFactory
  if (made === undefined)
    throw new DatapathError(
      'ERR_PROGRAM',
      `${url} has no default export; export the program, or a function that makes it, as default`,
    )
  return () => toProgram(made)
}

/** Makes this Worker an lcore once it is told to. */
export function runWorker(importProgram: ImportProgram): void {
  if (parentPort === null) throw new Error('runs in a Worker only')
  const main = parentPort
  const send = (reply: Reply) => main.postMessage(reply)

  async function answer(runner: LcoreRunner, request: Request): Promise<void> {
    if (request.kind === 'ports') {
      runner.setPorts(request.ports)
      return
    }
    const { id } = request
    try {
      let value: unknown
      if (request.kind === 'call') value = await runner.call(request.message)
      else if (request.kind === 'nativeIo') value = runner.nativeIo(request.milliseconds)
      else if (request.kind === 'trial') value = runner.trial(request.plan)
      else if (request.kind === 'replace')
        await runner.load(await factoryOf(request.program.url, importProgram), request.program.data)
      else {
        runner.stop()
        main.close()
      }
      send({ kind: 'answer', id, value })
    } catch (error) {
      send({ kind: 'refusal', id, error: posted(error) })
    }
  }

  /** Loaded from now on, while EAL may be starting; what comes of it is told to whoever makes this an lcore. */
  const factory = factoryOf((workerData as WorkerModule).url, importProgram)
  factory.catch(() => {})

  main.once('message', async (start: WorkerStart | undefined) => {
    if (start === undefined) {
      main.close()
      return
    }
    try {
      const { cpu } = start
      if (cpu !== undefined) nativeCall(() => binding.pinThread(cpu))
      const runner = new LcoreRunner({
        burst: start.burst,
        idle: start.idle,
        maxSleepMs: start.maxSleepMs,
        budgetMs: WORKER_BUDGET_MS,
        mayBlock: true,
        ports: start.ports,
        onProgramEvent: (event) => send({ kind: 'program', event }),
      })
      await runner.load(await factory, start.data)
      main.on('message', (request: Request) => void answer(runner, request))
      runner.start()
      send({ kind: 'started', index: runner.index })
    } catch (error) {
      send({ kind: 'failed', error: posted(error) })
      main.close()
    }
  })
}
