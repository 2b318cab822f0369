import { once } from 'node:events'
import { statSync } from 'node:fs'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

/** Looks at a path without a pause, from a thread of its own, and notes every mode that it ever has. */
export class ModeWatcher implements AsyncDisposable {
  readonly #worker: Worker
  readonly #stop: Int32Array

  private constructor(worker: Worker, stop: Int32Array) {
    this.#worker = worker
    this.#stop = stop
  }

  static async start(path: string): Promise<ModeWatcher> {
    const stop = new Int32Array(new SharedArrayBuffer(4))
    const worker = new Worker(new URL(import.meta.url), { workerData: { path, stop } })
    await once(worker, 'online')
    return new ModeWatcher(worker, stop)
  }

  /** Ends the watch; the permission bits seen, in octal. */
  async seen(): Promise<string[]> {
    const answer = once(this.#worker, 'message')
    Atomics.store(this.#stop, 0, 1)
    return (await answer)[0] as string[]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
  }
}

if (!isMainThread) {
  const { path, stop } = workerData as { path: string; stop: Int32Array }
  const seen = new Set<string>()
  while (Atomics.load(stop, 0) === 0) {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode
    if (mode !== undefined) seen.add((mode & 0o777).toString(8))
  }
  parentPort?.postMessage([...seen])
}
