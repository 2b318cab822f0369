/** The process of whoever manages the switch: calls its admin socket so many times a second. See manager.ts. */
import { AdminClient } from '../../src/switch/admin/client.js'
import { type ManagerReply, type ManagerRequest, RATES, type Task } from './manager.js'

const client = new AdminClient(process.argv[2] as string)

// The bench is gone.
process.on('disconnect', () => process.exit(1))

const BRIDGE = 'br0'
const RULE = 'priority=20,udp,tp_dst=9'

let calls = 0
const tasks: Record<Task, () => Promise<unknown>> = {
  scrapes: () => client.metrics(),
  calls: () => [client.show, client.ports, client.stats, () => client.mac(BRIDGE)][calls % 4]!(),
  rules: () =>
    calls % 2 === 0
      ? client.flowAdd(BRIDGE, [`${RULE},actions=drop`])
      : client.flowDelete(BRIDGE, RULE, false),
}

let timer: NodeJS.Timeout | undefined
let underWay: Promise<unknown> = Promise.resolve()

process.on('message', async (request: ManagerRequest) => {
  if (request.kind === 'start') {
    const { task } = request
    calls = 0
    // One after the other: a switch that is slow is asked less often, and the number of calls says so.
    let waiting = false
    timer = setInterval(() => {
      if (waiting) return
      waiting = true
      underWay = tasks[task]().then(() => {
        calls += 1
        waiting = false
      })
    }, 1000 / RATES[task])
  } else {
    clearInterval(timer)
    await underWay
  }
  process.send?.({ kind: 'done', calls } satisfies ManagerReply)
})
process.send?.({ kind: 'done', calls: 0 } satisfies ManagerReply)
