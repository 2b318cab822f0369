/** One of several Workers that count frames of the same rules and take from the same meters, at the same time. */
import { parentPort, workerData } from 'node:worker_threads'
import { buildTcp, buildUdp } from '../../src/headers/build.js'
import { flowTable } from '../../src/programs/flow-table/program.js'
import type { FlowReplica } from '../../src/programs/flow-table/replica.js'
import { MadeUpBurst } from '../support/made-up-burst.js'

/** What such a Worker is started with. */
export interface ConcurrentStart {
  readonly replica: FlowReplica
  readonly bursts: number
  /** Workers that are ready, and of how many; then the bursts of each. */
  readonly gate: SharedArrayBuffer
  readonly workers: number
  /** Milliseconds: the time is the same for all, and goes on with the bursts of the first. */
  readonly clock: SharedArrayBuffer
  readonly index: number
}

const { replica, bursts, gate, workers, clock, index } = workerData as ConcurrentStart
const addresses = {
  source: '02:00:00:00:00:01',
  destination: '02:00:00:00:00:02',
  sourceIp: '10.0.0.1',
  destinationIp: '10.0.0.2',
  sourcePort: 1,
  destinationPort: 2,
  minLength: 60,
}
const frames = [buildTcp(addresses), buildUdp(addresses), buildTcp(addresses)]
const table = flowTable({ replica })
const memory = new MadeUpBurst(2)
const burst = memory.receive(0, frames)
const time = new Float64Array(clock)
const ready = new Int32Array(gate)

Atomics.add(ready, 0, 1)
while (Atomics.load(ready, 0) < workers);
let passed = 0
for (let i = 0; i < bursts; i++) {
  memory.memory.clock[0] = time[0] as number
  memory.memory.outPort.fill(-1, 0, frames.length)
  burst.begin(frames.length)
  table.burst(burst)
  for (let n = 0; n < frames.length; n++) if (memory.memory.outPort[n] === 1) passed++
  if (index === 0) time[0] = (time[0] as number) + 0.01
  Atomics.add(ready, 1 + index, 1)
}
parentPort?.postMessage(passed)
