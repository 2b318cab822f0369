import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/**
 * Does a fixed amount of work on one CPU, between samples. It takes the same time whenever it runs,
 * unless the CPU changes its frequency or somebody else uses it: on this machine, or, when this
 * machine is virtual, on the host below it.
 */
export class Calibrator implements AsyncDisposable {
  readonly cpu: number
  /** Milliseconds each run took. */
  readonly milliseconds: number[] = []
  readonly #worker: Worker

  constructor(cpu: number) {
    this.cpu = cpu
    this.#worker = new Worker(new URL('./calibrator-worker.js', import.meta.url), {
      workerData: cpu,
    })
  }

  async run(): Promise<void> {
    const answer = once(this.#worker, 'message')
    this.#worker.postMessage('run')
    const [milliseconds] = (await answer) as [number]
    this.milliseconds.push(milliseconds)
  }

  /** How much longer the slowest run took than the fastest, as a share. */
  get unsteadiness(): number {
    return Math.max(...this.milliseconds) / Math.min(...this.milliseconds) - 1
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
  }
}
