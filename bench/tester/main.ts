/** The process of the tester: see tester.ts. */
import { Datapath } from '../../src/index.js'
import { binding } from '../../src/native/binding.js'
import { PollingThread } from '../polling-thread.js'
import type { Buckets, TesterReply, TesterRequest, TesterStart } from './messages.js'

const start = JSON.parse(process.argv[2] as string) as TesterStart
const send = (reply: TesterReply) => process.send?.(reply)

// The bench is gone.
process.on('disconnect', () => process.exit(1))

const { memory, memoryMiB, cpu, queueSize } = start
// What this process does beside polling must not take the switch's CPU. Threads made from here on inherit it.
binding.pinThread(cpu)
const datapath = await Datapath.open({ memory, memoryMiB })
const ports = await Promise.all(
  start.devargs.map((devargs, i) =>
    datapath.addPort({
      name: `tester${i}`,
      type: 'dpdk',
      devargs,
      rxDescriptors: queueSize,
      txDescriptors: queueSize,
    }),
  ),
)
await Promise.all(ports.map((port) => port.ready({ timeoutMs: 20_000 })))
const discard = new URL('./discard.js', import.meta.url)
const lcore = await datapath.launch(discard, { cpu, burst: 32 })
const [a, b] = ports.map(({ id }) => id) as [number, number]
const frames = start.frames.map((bytes) => Uint8Array.from(bytes)) as [Uint8Array, Uint8Array]
let number = 0
let watched: PollingThread | undefined
process.on('message', (request: TesterRequest) => void answer(request))
send({ kind: 'started', cyclesPerSecond: datapath.info.cyclesPerSecond })

async function answer(request: TesterRequest): Promise<void> {
  if (request.kind === 'watch') {
    watched = new PollingThread(request.pid, request.cpu)
    send({ kind: 'watching' })
    return
  }
  const { kind: _, ...asked } = request
  number += 1
  const plan = { ...asked, ports: [a, b], frames, number } as const
  watched?.lost()
  const { latency, lateness, ...rest } = await lcore.trial(plan)
  const switchWaitedMs = watched?.lost() ?? 0
  const histograms = { latency: occupied(latency), lateness: occupied(lateness) }
  send({ kind: 'trial', result: { ...rest, switchWaitedMs, ...histograms } })
}

function occupied(counts: Float64Array): Buckets {
  const pairs: [number, number][] = []
  counts.forEach((count, bucket) => {
    if (count !== 0) pairs.push([bucket, count])
  })
  return pairs
}
