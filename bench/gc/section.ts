import { validateLaunchOptions } from '../../src/config/index.js'
import { number } from '../arguments.js'
import { Calibrator } from '../calibration/calibrator.js'
import type { Stops } from '../calibration/worker.js'
import type { Asked, Context, Section } from '../section.js'
import { latencyOf } from '../tester/latency.js'
import { type Scene, withScene } from '../tester/scene.js'
import { latencyFigures } from '../tester/show.js'
import { Manager, RATES, type Task } from './manager.js'
import { CASES, type Case, type GcResult, type GcRound, LATE_US, type Pauses } from './result.js'
import { show } from './show.js'
import { WatchedSwitch } from './switch.js'
import type { Collections } from './watch.js'

const PRESETS = {
  smoke: { rounds: 1, seconds: 0.2 },
  quick: { rounds: 1, seconds: 2 },
  usual: { rounds: 5, seconds: 2 },
  full: { rounds: 5, seconds: 5 },
}

/** Frames a second, both directions together: far below what the switch can carry. */
const RATE = 1_000_000

/** How late frames are while the switch is managed, and garbage collected. */
export const gcSection: Section<GcResult> = {
  name: 'gc',
  title:
    'How late frames are while the control plane is busy, and what garbage collection has to do with it',
  options: [
    { name: 'rounds', value: 'N', what: `rounds (default: ${PRESETS.usual.rounds})` },
    { name: 'rate', value: 'N', what: `frames a second, 1000 to 10000000 (default: ${RATE})` },
  ],
  seconds: (effort, asked) => {
    const { rounds, seconds } = optionsOf(asked ?? { effort })
    return Math.ceil(6 + CASES.length * rounds * (seconds + 0.3))
  },
  check: (asked) => void optionsOf(asked),
  measure,
  show,
  figures: ({ runs }) => latencyFigures(runs, ['p99', 'p999']),
}

function optionsOf({ smoke, effort, options: values = {} }: Asked) {
  const preset = PRESETS[smoke ? 'smoke' : effort]
  return {
    seconds: preset.seconds,
    rounds: number('--rounds', values.rounds, preset.rounds, 1, 1000),
    rate: number('--rate', values.rate, RATE, 1000, 10_000_000),
  }
}

async function measure(context: Context): Promise<GcResult> {
  const { rounds, rate, seconds } = optionsOf(context)
  const { cpus, memory, signal } = context
  const runs = CASES.map((name) => ({ name, rounds: [] as GcRound[] }))
  signal.throwIfAborted()
  const stops = await stopsOf(context)
  const result = { framesPerSecond: rate, seconds, callsPerSecond: RATES, stops, runs }
  const burst = validateLaunchOptions().burst
  const shared = { ring: 'split', frameBytes: 64, burst, cpus, memory } as const
  const start = (setup: ConstructorParameters<typeof WatchedSwitch>[0]) => new WatchedSwitch(setup)
  await withScene(start, shared, signal, async (scene) => {
    await using manager = new Manager(scene.running.socket, cpus.generator)
    const turns = rounds * runs.length
    for (let turn = 0; turn < turns; turn++) {
      const run = runs[turn % runs.length] as (typeof runs)[number]
      context.progress(run.name, turn / turns)
      const taken = await Promise.race([
        measureCase(run.name, scene, manager, rate, seconds),
        manager.failed,
      ])
      run.rounds.push(taken)
      context.keep?.({ ...result, runs: runs.filter((one) => one.rounds.length > 0) })
    }
  })
  return result
}

async function measureCase(
  name: Case,
  { running, trial }: Scene<WatchedSwitch>,
  manager: Manager,
  framesPerSecond: number,
  seconds: number,
): Promise<GcRound> {
  const task = name === 'quiet' ? undefined : (name satisfies Task)
  await running.collections()
  const begun = performance.now()
  if (task !== undefined) await manager.start(task)
  const all = await trial({ framesPerSecond, milliseconds: seconds * 1000 })
  const calls = task === undefined ? 0 : await manager.stop()
  const isolates = await running.collections()
  const took = (performance.now() - begun) / 1000
  const latency = latencyOf(all)
  if (latency === undefined) throw new Error(`no frames went through vswitch (${name})`)
  return {
    ...latency,
    calls,
    lossRatio: all.lossRatio,
    unjudged: all.unjudged / all.received,
    switchWaitedMs: all.switchWaitedMs,
    late: all.latency.shareAbove(LATE_US),
    main: pausesOf(
      isolates.filter(({ thread }) => thread === 0),
      took,
    ),
    lcore: pausesOf(
      isolates.filter(({ thread }) => thread !== 0),
      took,
    ),
  }
}

function pausesOf(isolates: readonly Collections[], seconds: number): Pauses {
  const all = isolates.flatMap(({ pauses }) => pauses)
  const milliseconds = all.reduce((sum, pause) => sum + pause, 0)
  const longestMs = Math.max(0, ...all)
  return { count: all.length, milliseconds, longestMs, share: milliseconds / 1000 / seconds }
}

/** Before a switch polls there. */
async function stopsOf({ cpus }: Context): Promise<Stops> {
  await using calibrator = new Calibrator(cpus.switch, cpus.generator)
  return await calibrator.stops()
}
