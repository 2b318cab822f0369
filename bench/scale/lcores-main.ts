/** The process of {@link lcores}: each lcore takes frames from a port of its own and sends them to another. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Datapath, type Lcore } from '../../src/index.js'
import { sharedMacTable } from '../../src/programs/learning-switch.js'
import { MacTable } from '../../src/programs/mac-table.js'
import { HIGH, lowOf } from './addressed-switch.js'
import type { LcoresSlice, LcoresStart } from './lcores.js'

const { cpus, program, memory, memoryMiB, milliseconds } = JSON.parse(
  process.argv[2] as string,
) as LcoresStart

// The bench is gone.
process.on('disconnect', () => process.exit(1))

/** Time in which the code of a new lcore becomes warm. */
const WARM_UP_MS = 300

const datapath = await Datapath.open({ memory, memoryMiB })
// Gives as many frames as it is asked for, and takes all.
const addPort = (name: string, i: number) =>
  datapath.addPort({ name, type: 'dpdk', devargs: `net_null${i},size=64` })
const table = sharedMacTable()
const lcores: Lcore[] = []
const slices: LcoresSlice[] = []
for (const [i, cpu] of cpus.entries()) {
  const names = [`in${i}`, `out${i}`] as const
  await addPort(names[0], 2 * i)
  const out = await addPort(names[1], 2 * i + 1)
  // Nothing is received there, so nobody learns it.
  new MacTable(table).setStatic(lowOf(out.id), HIGH, out.id, 0)
  const module =
    program === 'crossConnect'
      ? new URL('../../src/programs/cross-connect.js', import.meta.url)
      : new URL('./addressed-switch.js', import.meta.url)
  const data = program === 'crossConnect' ? { pairs: [names] } : { names, table }
  lcores.push(await datapath.launch(module, { cpu, idle: 'spin', ports: [names[0]], data }))
  await sleep(WARM_UP_MS)
  const before = lcores.map((lcore) => lcore.counters())
  const framesBefore = frames()
  const begun = performance.now()
  await sleep(milliseconds)
  const taken = frames() - framesBefore
  const cycles = lcores.reduce(
    (sum, lcore, at) => sum + lcore.counters().busyCycles - (before[at]?.busyCycles ?? 0),
    0,
  )
  const mpps = taken / (performance.now() - begun) / 1000
  slices.push({ lcores: lcores.length, mpps, cyclesPerFrame: cycles / taken })
}
process.send?.({ kind: 'slices', slices })

function frames(): number {
  let sum = 0
  for (const port of datapath.ports.values()) sum += port.counters().tx.frames
  return sum
}
