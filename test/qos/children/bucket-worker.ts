/**
 * Takes from a bucket that other threads take from, as fast as it can, for 10 seconds of a clock that all of them move:
 * each turn a microsecond.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { BucketTime, TokenBucket, type TokenRate } from '../../../src/qos/index.js'

const { memory, clock, rate, workers } = workerData as {
  memory: SharedArrayBuffer
  clock: SharedArrayBuffer
  rate: TokenRate
  workers: number
}
const turns = new Int32Array(clock)
const bucket = new TokenBucket(new Int32Array(memory), 0, rate)
const time = new BucketTime()
let passed = 0
let refused = 0
let now = 0
// The clock stands until all are there.
Atomics.add(turns, 1, 1)
while (Atomics.load(turns, 1) < workers);
while (now < 10_000) {
  now = Atomics.add(turns, 0, 1) / 1000
  time.set(5000 + now)
  // 50 bytes a microsecond are five times the rate.
  if (bucket.takeAll(time, 50)) {
    passed += 50
    continue
  }
  bucket.open(time)
  for (let i = 0; i < 5; i++) {
    if (bucket.take(10)) passed += 10
    else refused++
  }
  bucket.close()
}
parentPort?.postMessage({ passed, refused, seconds: now / 1000 })
