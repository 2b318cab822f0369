/** The thread of a {@link Calibrator}. */
import { parentPort, workerData } from 'node:worker_threads'
import { binding } from '../src/native/binding.js'

/** About 30 ms of work. */
const STEPS = 20_000_000

binding.pinThread(workerData as number)
work(STEPS / 10) // lets it be compiled

parentPort?.on('message', () => {
  const begun = performance.now()
  // It never comes to 0; asked, so that the compiler cannot leave the work out.
  if (work(STEPS) === 0) throw new Error('xorshift reached 0')
  parentPort?.postMessage(performance.now() - begun)
})

/** A chain of dependent operations on registers: only the clock of the core sets its time. */
function work(steps: number): number {
  let x = 1
  for (let i = 0; i < steps; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
  }
  return x
}
