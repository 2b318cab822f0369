/** Changes and reads a shared table for a while, together with another thread. */
import { parentPort, workerData } from 'node:worker_threads'
import { BUSY, GIVEN, keyOf, MacTable } from '../../src/programs/mac-table.js'
import { Random } from '../headers/random.js'
import { portsOf, STATIONS, VLANS } from './mac-table-stations.js'

const { buffer, seed, milliseconds, statics } = workerData as {
  buffer: SharedArrayBuffer
  seed: number
  milliseconds: number
  statics: number
}
const table = new MacTable(buffer)
table.moveLimit = { moves: 5, withinMs: 1000, holdMs: 1 }
const random = new Random(seed)
const end = performance.now() + milliseconds
let changes = 0
let odd = 0
let spoilt = 0
while (performance.now() < end) {
  for (let i = 0; i < 1000; i++) {
    const n = random.below(STATIONS)
    const vlan = random.below(VLANS)
    const port = portsOf(n, vlan) + random.below(2)
    const result = table.learn(n << 1, keyOf(n, vlan), port, 0, Math.floor(performance.now()))
    if (result !== BUSY) changes++
    if (result !== BUSY && (result === GIVEN) !== n < statics) spoilt++

    const m = random.below(STATIONS)
    const other = random.below(VLANS)
    const found = table.portOf(m << 1, keyOf(m, other))
    if (found >= 0 && found - (found & 1) !== portsOf(m, other)) odd++
    // A reader whose chain is changed under its feet may find nothing.
    if (m < statics && found >= 0 && found !== portsOf(m, other)) spoilt++
  }
  if (random.below(50) === 0) table.removePort(random.below(VLANS * 4), 0)
}
parentPort?.postMessage({ changes, odd, spoilt })
