/** The process of a learning switch whose lcore polls more and fewer queues in turns. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Datapath, type Port } from '../../src/index.js'
import { binding } from '../../src/native/binding.js'
import type { Slice, Turn, TurnsReply, TurnsRequest, TurnsStart } from './turns.js'

const start = JSON.parse(process.argv[2] as string) as TurnsStart
const send = (reply: TurnsReply) => process.send?.(reply)

// The bench is gone.
process.on('disconnect', () => process.exit(1))

/** Many guests on a busy machine take their time. */
const READY_MS = 60_000
const WARM_UP_MS = 500
/** The change itself belongs to neither slice. */
const EDGE_MS = 5
const SLICE_MS = 30

const datapath = await Datapath.open({ memory: start.memory, memoryMiB: start.memoryMiB })
const lcore = await datapath.launch(
  new URL('../../src/programs/learning-switch.js', import.meta.url),
  { cpu: start.cpu, idle: 'spin' },
)
const add = (path: string, i: number) =>
  datapath.addPort({ name: `vhost${i}`, type: 'dpdkvhostuserclient', path })
const all = await Promise.all([...start.sockets, ...start.others].map(add))
await Promise.all(all.map((port) => port.ready({ timeoutMs: READY_MS })))
const pair = all.slice(0, 2)

process.on('message', async ({ milliseconds }: TurnsRequest) => {
  await sleep(WARM_UP_MS)
  const turns: Turn[] = []
  for (const end = performance.now() + milliseconds; performance.now() < end; ) {
    const turn = { all: await slice(all), pair: await slice(pair) }
    // A host may keep a CPU for all of a slice: that says nothing of queues.
    if (turn.all.framesPerSecond > 0 && turn.pair.framesPerSecond > 0) turns.push(turn)
  }
  send({ kind: 'turns', turns })
})
send({ kind: 'started' })

async function slice(polled: readonly Port[]): Promise<Slice> {
  await binding.assign(Uint32Array.from(polled.flatMap(({ id }) => [lcore.index, id, 0])))
  await sleep(EDGE_MS)
  const before = totals()
  await sleep(SLICE_MS)
  const after = totals()
  const frames = after.frames - before.frames
  return {
    framesPerSecond: (1000 * frames) / (after.at - before.at),
    cyclesPerFrame: (after.cycles - before.cycles) / frames,
  }
}

function totals() {
  const frames = pair.reduce((sum, port) => sum + port.counters().rx.frames, 0)
  return { at: performance.now(), frames, cycles: lcore.counters().busyCycles }
}
