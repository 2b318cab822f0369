/** An lcore of a bridge that shares its memory with another: floods, and sends from addresses that move. */
import { parentPort, workerData } from 'node:worker_threads'
import type { BridgeMemory } from '../../../src/switch/image.js'
import { Random } from '../../headers/random.js'
import { broadcast, frame, station } from '../../programs/frames.js'
import { attached } from '../images.js'
import { BridgeLcore } from './bridge-lcore.js'

const { memory, seed, milliseconds, limit } = workerData as {
  memory: BridgeMemory
  seed: number
  milliseconds: number
  limit: number
}
const lcore = new BridgeLcore(
  {
    a5: attached({ tag: 5 }),
    b5: attached({ tag: 5 }),
    a6: attached({ tag: 6 }),
    b6: attached({ tag: 6 }),
  },
  {
    stormLimit: { broadcast: limit, multicast: undefined, unknownUnicast: undefined },
    loopGuard: { moves: 5, withinMs: 1000, holdMs: 1 },
  },
  memory,
)
const random = new Random(seed)
const end = performance.now() + milliseconds
let floods = 0
let astray = 0
let known = 0
while (performance.now() < end) {
  lcore.flow.pass(0.00001)
  const port = random.below(4)
  const vlan = port >> 1
  const other = port ^ 1
  const [from, to] = [station(random.below(50)), station(random.below(50))]
  if (lcore.reaches(port, broadcast(from)).length > 0) floods++
  const reached = lcore.reaches(port, frame(from, to), frame(from, to))
  if (reached.some((id) => id >> 1 !== vlan || id !== other)) astray++
  known += reached.length
}
parentPort?.postMessage({ floods, astray, known })
