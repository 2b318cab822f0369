/** The process of two guests with many flows: see load.ts. */
import { Datapath } from '../../src/index.js'
import type { LoadReply, LoadRequest, LoadStart } from './messages.js'
import type { SourceData } from './source.js'

/** Longer than any measurement. */
const FOREVER_MS = 1_000_000

const start = JSON.parse(process.argv[2] as string) as LoadStart
const send = (reply: LoadReply) => process.send?.(reply)

// The bench is gone.
process.on('disconnect', () => process.exit(1))

const { memory, memoryMiB, cpu, kind, frameBytes, queueSize } = start
const datapath = await Datapath.open({ memory, memoryMiB })
const ports = await Promise.all(
  start.devargs.map((devargs, i) =>
    datapath.addPort({
      name: `guest${i}`,
      type: 'dpdk',
      devargs,
      rxDescriptors: queueSize,
      txDescriptors: queueSize,
    }),
  ),
)
await Promise.all(ports.map((port) => port.ready({ timeoutMs: 20_000 })))
const data: SourceData = { ports: ports.map(({ name }) => name), kind, frameBytes }
const source = new URL('./source.js', import.meta.url)
const lcore = await datapath.launch(source, { cpu, idle: 'spin', burst: 32, data })
process.on('message', (request: LoadRequest) => void answer(request))
send({ kind: 'started' })

async function answer(request: LoadRequest): Promise<void> {
  if (request.kind === 'begin') {
    await lcore.call('begin')
    void lcore.nativeIo(FOREVER_MS)
    send({ kind: 'begun' })
    return
  }
  const frames = ports.reduce((sum, port) => sum + port.counters().rx.frames, 0)
  const { busyCycles } = lcore.counters()
  send({ kind: 'totals', totals: { frames, busyCycles, time: performance.now() } })
}
