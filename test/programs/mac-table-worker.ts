/** Changes and reads a shared table for a while, together with another thread. */
import { parentPort, workerData } from 'node:worker_threads'
import { BUSY, MacTable } from '../../src/programs/mac-table.js'
import { Random } from '../headers/random.js'

const { buffer, seed, milliseconds } = workerData as {
  buffer: SharedArrayBuffer
  seed: number
  milliseconds: number
}
const table = new MacTable(buffer)
const random = new Random(seed)
const end = performance.now() + milliseconds
let changes = 0
let odd = 0
while (performance.now() < end) {
  for (let i = 0; i < 1000; i++) {
    // An address is ever seen on two ports only, which can be told from it; with its halves apart, a reader that
    // paired one entry's address with another's port would show.
    const n = random.below(400)
    const port = (n % 8) * 2 + random.below(2)
    if (table.learn(n << 1, n, port, 0) !== BUSY) changes++
    const m = random.below(400)
    const found = table.portOf(m << 1, m)
    if (found >= 0 && found >> 1 !== m % 8) odd++
  }
  if (random.below(50) === 0) table.removePort(random.below(16), 0)
}
parentPort?.postMessage({ changes, odd })
