import type { Worker } from 'node:worker_threads'

/** How long a thread may go on that was asked to end. */
const STOP_MS = 2000

/**
 * Waits until a Worker that was asked to end has ended, and ends it when it does not hear of it: a program never returned, or
 * its module goes on.
 *
 * @param ended - resolves when it has
 */
export async function endWorker(worker: Worker, ended: Promise<unknown>): Promise<void> {
  const impatience = setTimeout(() => void worker.terminate(), STOP_MS)
  await ended
  clearTimeout(impatience)
}
