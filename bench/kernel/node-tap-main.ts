/** What a program in Node.js can do without addons: each direction is a thread that reads a frame and writes it. */
import { readSync, writeSync } from 'node:fs'
import { isMainThread, Worker, workerData } from 'node:worker_threads'

const FRAME_BYTES = 65_536

if (isMainThread) {
  const [a = Number.NaN, b = Number.NaN] = process.argv.slice(-2).map(Number)
  const directions = [
    [a, b],
    [b, a],
  ].map((direction) => new Worker(new URL(import.meta.url), { workerData: direction }))
  // A thread that ended has failed.
  for (const worker of directions) worker.on('exit', () => process.exit(1))
  process.stdout.write('ready\n')
} else {
  const [from, to] = workerData as [number, number]
  const frame = new Uint8Array(FRAME_BYTES)
  for (;;) writeSync(to, frame, 0, readSync(from, frame))
}
