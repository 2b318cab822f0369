import { validateLaunchOptions } from '../../src/config/index.js'
import { number } from '../arguments.js'
import type { Asked, Context, Section } from '../section.js'
import { latencyOf } from '../tester/latency.js'
import { type Scene, withScene } from '../tester/scene.js'
import { sumOfTrials, type Trial } from '../tester/trial.js'
import { Manager, RATES, type Task } from './manager.js'
import { CASES, type Case, type GcResult, type GcRound } from './result.js'
import { figures, show } from './show.js'
import { WatchedSwitch } from './switch.js'
import type { Collections } from './watch.js'

const PRESETS = {
  smoke: { rounds: 1, seconds: 0.2 },
  quick: { rounds: 1, seconds: 2 },
  usual: { rounds: 3, seconds: 3 },
  full: { rounds: 5, seconds: 30 },
}

/** Frames a second, both directions together: far below what the switch can carry. */
const RATE = 1_000_000

/** Longest time of one trial. */
const TRIAL_MS = 1000

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
    return Math.ceil(4 + CASES.length * rounds * (seconds + 0.3))
  },
  check: (asked) => void optionsOf(asked),
  measure,
  show,
  figures,
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
  const result = { framesPerSecond: rate, seconds, callsPerSecond: RATES, runs }
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
  const before = await running.collections()
  if (task !== undefined) await manager.start(task)
  const trials: Trial[] = []
  for (let left = seconds * 1000; left > 0; left -= TRIAL_MS) {
    trials.push(await trial({ framesPerSecond, milliseconds: Math.min(left, TRIAL_MS) }))
  }
  const calls = task === undefined ? 0 : await manager.stop()
  const after = await running.collections()
  const all = sumOfTrials(trials)
  const latency = latencyOf(all)
  if (latency === undefined) throw new Error(`no frames went through vswitch (${name})`)
  return {
    ...latency,
    calls,
    lossRatio: all.lossRatio,
    unjudged: all.unjudged / all.received,
    switchWaitedMs: all.switchWaitedMs,
    main: collectionsSince(before, after, (thread) => thread === 0),
    lcore: collectionsSince(before, after, (thread) => thread !== 0),
  }
}

function collectionsSince(
  before: readonly Collections[],
  after: readonly Collections[],
  of: (thread: number) => boolean,
) {
  const sum = (all: readonly Collections[], key: 'count' | 'milliseconds') =>
    all.filter(({ thread }) => of(thread)).reduce((total, one) => total + one[key], 0)
  return {
    count: sum(after, 'count') - sum(before, 'count'),
    milliseconds: sum(after, 'milliseconds') - sum(before, 'milliseconds'),
  }
}
