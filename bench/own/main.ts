/** The process of a switch of ours: opens a datapath between two sockets and answers the bench. */
import { Datapath, type Lcore } from '../../src/index.js'
import type { LearningSwitchStats } from '../../src/programs/learning-switch.js'
import { crossRules, exactRules } from '../flows/flows.js'
import { alternate } from './alternate.js'
import { droppedBy } from './dropped.js'
import type { Reply, Request, Start, Totals } from './messages.js'

const start = JSON.parse(process.argv[2] as string) as Start
const send = (reply: Reply) => process.send?.(reply)

// The bench is gone.
process.on('disconnect', () => process.exit(1))

/** Many guests on a busy machine take their time. */
const READY_MS = 60_000

/** What a frame has beside its MTU. */
const ETHERNET_BYTES = 14

const NAMES = ['vhost0', 'vhost1'] as const

const datapath = await Datapath.open({
  memory: start.memory,
  memoryMiB: start.memoryMiB,
  mtu: Math.max(1500, start.frameBytes - ETHERNET_BYTES),
})
const [a, b] = await Promise.all(
  start.sockets.map((path, i) =>
    datapath.addPort({ name: NAMES[i] as string, type: 'dpdkvhostuserclient', path }),
  ),
)
const lcores: Lcore[] = []
for (const cpu of start.cpus) lcores.push(await launch(cpu))
const [lcore] = lcores as [Lcore]
const others = await Promise.all(
  start.others.map((path, i) =>
    datapath.addPort({ name: `other${i}`, type: 'dpdkvhostuserclient', path }),
  ),
)
await Promise.all(
  [a, b, ...(start.guests ? others : [])].map((port) => port?.ready({ timeoutMs: READY_MS })),
)
process.on('message', (request: Request) => void answer(request))
send({ kind: 'started' })

function launch(cpu: number): Promise<Lcore> {
  const common = { cpu, burst: start.burst, idle: start.idle }
  const program = (name: string) => new URL(`../../src/programs/${name}.js`, import.meta.url)
  switch (start.contender) {
    case 'ts-learning':
      return datapath.launch(program('learning-switch'), common)
    case 'ts-flow': {
      const rules = start.exactRules === 0 ? crossRules(NAMES) : exactRules(NAMES, start.exactRules)
      return datapath.launch(program('flow-table/program'), { ...common, data: { rules } })
    }
    default:
      return datapath.launch(program('cross-connect'), { ...common, data: { pairs: [NAMES] } })
  }
}

async function answer(request: Request): Promise<void> {
  if (request.kind === 'totals') {
    await checkLearning()
    send({ kind: 'totals', totals: totals() })
    return
  }
  if (request.kind === 'alternate') {
    send({ kind: 'alternated', pairs: await alternate(lcore, totals, request.milliseconds) })
    return
  }
  if (start.contender === 'native-io') {
    void lcore.nativeIo(request.milliseconds).then(() => {
      throw new Error('the measurement took longer than was planned for the native loop')
    })
  }
  send({ kind: 'begun' })
}

function totals(): Totals {
  const counters = lcores.map((one) => one.counters())
  const ports = [...datapath.ports.values()].map((port) => port.counters())
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
  const frames = sum(ports.map(({ rx }) => rx.frames))
  return {
    frames,
    busyCycles: sum(counters.map(({ busyCycles }) => busyCycles)),
    cyclesPerSecond: lcores.length * datapath.info.cyclesPerSecond,
    dropped: droppedBy(ports),
    bursts: sum(counters.map(({ polls, emptyPolls }) => polls - emptyPolls)),
  }
}

/** The load is meant to have one address on each port that stays there; anything else would measure something else. */
async function checkLearning(): Promise<void> {
  if (start.contender !== 'ts-learning') return
  const { size, moves } = (await lcore.call({ type: 'stats' })) as LearningSwitchStats
  if (size !== 2 || moves !== 0) {
    throw new Error(
      `the learning switch knows ${size} addresses and saw ${moves} move, not 2 and 0`,
    )
  }
}
