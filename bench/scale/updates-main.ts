/** The process of a flow table between two guests, whose rules come and go. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Datapath, SharedFlows } from '../../src/index.js'
import { crossRules } from '../flows/flows.js'
import type {
  UpdatesReply,
  UpdatesRequest,
  UpdatesSlice,
  UpdatesStart,
} from './updates-messages.js'

const start = JSON.parse(process.argv[2] as string) as UpdatesStart
const send = (reply: UpdatesReply) => process.send?.(reply)

// The bench is gone.
process.on('disconnect', () => process.exit(1))

/** Longest wait for both guests. */
const READY_MS = 20_000

const NAMES = ['vhost0', 'vhost1'] as const

/** None of the guests' frames has these; there are rules of UDP from `from` on. */
const exact = (from: number) =>
  Array.from({ length: start.rules }, (_, i) => {
    const n = from + i
    return `priority=10,udp,nw_src=10.${n >>> 16}.${(n >>> 8) & 255}.${n & 255},tp_dst=53,actions=output:${NAMES[0]}`
  })

const datapath = await Datapath.open({ memory: start.memory, memoryMiB: start.memoryMiB })
const ports = await Promise.all(
  start.sockets.map((path, i) =>
    datapath.addPort({ name: NAMES[i] as string, type: 'dpdkvhostuserclient', path }),
  ),
)
const rest = crossRules(NAMES).map((rule) => `priority=0,${rule}`)
const flows = new SharedFlows({
  rules: [...exact(0), ...rest],
  deliver: async (message) => void (await lcore.call(message)),
})
const lcore = await datapath.launch(new URL('./paused-flow-table.js', import.meta.url), {
  cpu: start.cpu,
  idle: 'spin',
  data: { replica: flows.replica() },
})
await flows.sync()
await Promise.all(ports.map((port) => port.ready({ timeoutMs: READY_MS })))

const ways: Record<UpdatesRequest['what'], (until: number) => Promise<number>> = {
  async nothing(until) {
    await sleep(until - performance.now())
    return 0
  },
  async updates(until) {
    let count = 0
    for (; performance.now() < until; count += 2) {
      const match = `udp,nw_src=11.0.${(count >>> 8) & 255}.${count & 255},tp_dst=53`
      await flows.add(`priority=10,${match},actions=output:${NAMES[1]}`)
      await flows.delete(`priority=10,${match}`, { strict: true })
    }
    return count
  },
  async replace() {
    await flows.replace([...exact(start.rules), ...rest])
    return 2 * start.rules
  },
}

process.on('message', async ({ what, milliseconds }: UpdatesRequest) => {
  const frames = () => ports.reduce((sum, port) => sum + port.counters().rx.frames, 0)
  await lcore.call('pause')
  const before = { at: performance.now(), frames: frames(), cycles: lcore.counters().busyCycles }
  const updates = await ways[what](before.at + milliseconds)
  const taken = frames() - before.frames
  const slice: UpdatesSlice = {
    milliseconds: performance.now() - before.at,
    updates,
    frames: taken,
    cyclesPerFrame: (lcore.counters().busyCycles - before.cycles) / taken,
    longestPauseMs: (await lcore.call('pause')) as number,
  }
  send({ kind: 'slice', slice })
})
send({ kind: 'started' })
