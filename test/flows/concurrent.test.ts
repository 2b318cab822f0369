import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { SharedFlows } from '../../src/programs/flow-table/shared.js'
import type { ConcurrentStart } from './concurrent-child.js'

const child = new URL('./concurrent-child.js', import.meta.url)
const WORKERS = 3
const BURSTS = 300_000

/** Lets Workers decide bursts of two TCP frames and one UDP frame at the same time. Returns how many frames left in all. */
async function run(flows: SharedFlows, time: Float64Array, terminate = false): Promise<number> {
  const gate = new SharedArrayBuffer(4 * (1 + WORKERS))
  const workers = Array.from({ length: WORKERS }, (_, i) => {
    const workerData: ConcurrentStart = {
      replica: flows.replica(),
      bursts: terminate ? Number.POSITIVE_INFINITY : BURSTS,
      gate,
      workers: WORKERS,
      clock: time.buffer as SharedArrayBuffer,
      index: i,
    }
    return new Worker(child, { workerData })
  })
  const ended = Promise.all(
    workers.map(
      (worker) =>
        new Promise<number>((resolve, reject) => {
          worker.once('message', resolve)
          worker.once('error', reject)
          worker.once('exit', () => resolve(0))
        }),
    ),
  )
  if (terminate) {
    // Not while V8 compiles what is hot: of a Worker that ends then, Node 20 may abort the process.
    while (new Int32Array(gate, 4).some((done) => done < BURSTS / 2)) await sleep(5)
    for (const worker of workers) void worker.terminate()
  }
  const passed = await ended
  return passed.reduce((sum, one) => sum + one, 0)
}

test('Workers that count and meter at the same time lose nothing and let nothing pass twice', async () => {
  const flows = new SharedFlows({
    rules: ['tcp,actions=meter:1,1', 'udp,actions=drop'],
    meters: [{ id: 1, unit: 'pktps', rate: 100_000, burst_size: 20_000 }],
    deliver: async () => {},
  })
  const time = new Float64Array(new SharedArrayBuffer(8)).fill(1_000_000)
  // These leave in the middle of something; nobody is held up by that.
  await run(flows, time, true)
  const before = flows.dump().map(({ packets }) => packets)
  const from = time[0] as number
  const passed = await run(flows, time)
  const after = flows.dump().map(({ packets, bytes }) => ({ packets, bytes }))
  assert.deepEqual(
    after.map(({ packets }, i) => packets - (before[i] as number)),
    [2 * WORKERS * BURSTS, WORKERS * BURSTS],
  )
  for (const { packets, bytes } of after) assert.equal(bytes, 60 * packets)
  const milliseconds = (time[0] as number) - from
  // What there was at the beginning, at most a full bucket, and what came; there was always more than could pass.
  assert.ok(passed <= 20_000 + 100 * milliseconds + 1, `${passed} in ${milliseconds} ms`)
  assert.ok(passed >= 100 * milliseconds - 20_000, `${passed} in ${milliseconds} ms`)
  flows.close()
})

test('of one bucket as much passes as is in it, whoever takes it', async () => {
  const flows = new SharedFlows({
    rules: ['tcp,actions=meter:1,1', 'udp,actions=drop'],
    // Too slow to add a frame while the test runs.
    meters: [{ id: 1, unit: 'pktps', rate: 1, burst_size: 600_000 }],
    deliver: async () => {},
  })
  const time = new Float64Array(new SharedArrayBuffer(8)).fill(1_000_000)
  const passed = await run(flows, time)
  const came = Math.floor(((time[0] as number) - 1_000_000) / 1000)
  assert.ok(Math.abs(passed - 600_000 - came) <= 1, `${passed} and not ${600_000 + came}`)
  flows.close()
})
