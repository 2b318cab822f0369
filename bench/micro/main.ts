/** The process that does single operations, on one CPU. */
import { measure } from 'mitata'
import { binding } from '../../src/native/binding.js'
import { flowOperations } from './flows.js'
import { headerOperations } from './headers.js'
import { macOperations } from './mac-table.js'
import type { MicroStart, Operation, Timing } from './operation.js'
import { Polls } from './poll.js'

const { cpu, milliseconds } = JSON.parse(process.argv[2] as string) as MicroStart

// The bench is gone.
process.on('disconnect', () => process.exit(1))

binding.pinThread(cpu)
const polls = await Polls.open()
const timings: Timing[] = []
for (const operations of [polls.operations, headerOperations, macOperations, flowOperations]) {
  for (const operation of operations()) timings.push(await time(operation))
}
await polls.close()
process.send?.({ kind: 'timings', timings })

async function time({ group, name, per, run, around }: Operation): Promise<Timing> {
  const options = { min_cpu_time: milliseconds * 1e6 }
  const { p25, p50, p75 } = await measure(run, options)
  const rest = around === undefined ? 0 : (await measure(around, options)).p50
  return { group, name, ns: (p50 - rest) / per, low: (p25 - rest) / per, high: (p75 - rest) / per }
}
