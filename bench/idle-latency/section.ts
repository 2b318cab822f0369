import { validateLaunchOptions } from '../../src/config/index.js'
import { counted } from '../../src/switch/counted.js'
import { number, pickNamed } from '../arguments.js'
import { availableOf } from '../available.js'
import type { Contender } from '../contender.js'
import { OwnSwitch } from '../own/own-switch.js'
import { waitUntilQuiet } from '../quiet.js'
import { PAIR } from '../rfc2544/options.js'
import type { Asked, Context, Exhibit, Section } from '../section.js'
import { median } from '../statistics.js'
import { type Latency, latencyOf } from '../tester/latency.js'
import { withScene } from '../tester/scene.js'
import { latencyFigures, latencyPlot } from '../tester/show.js'
import { Turns } from '../twice.js'

/** What goes into the JSON. */
export interface IdleLatencyResult {
  readonly framesPerSecond: number
  readonly seconds: number
  readonly runs: readonly { readonly name: string; readonly rounds: readonly Latency[] }[]
}

const PRESETS = {
  smoke: { rounds: 1, seconds: 0.5 },
  quick: { rounds: 1, seconds: 2 },
  usual: { rounds: 2, seconds: 3 },
  full: { rounds: 5, seconds: 5 },
}

/** Frames come so far apart that an adaptive lcore, which polls on for 0.1 ms, sleeps before almost each. */
const RATE = 500

const SMOKE = ['ts-io', 'ts-io-adaptive']

const CONTENDERS: readonly Contender[] = [
  ...PAIR.filter(({ name }) => ['testpmd-io', 'ts-io', 'ovs-normal'].includes(name)),
  {
    name: 'ts-io-adaptive',
    what: 'crossConnect in TypeScript, in a Worker that sleeps while nothing comes',
    load: 'pair',
    start: (setup) => new OwnSwitch(setup, 'ts-io', { idle: 'adaptive' }),
  },
]

/** How late a frame is that comes now and then. */
export const idleLatencySection: Section<IdleLatencyResult> = {
  name: 'idle-latency',
  title: 'How late a frame is that comes now and then',
  contenders: CONTENDERS,
  options: [
    { name: 'rounds', value: 'N', what: `rounds (default: ${PRESETS.usual.rounds})` },
    { name: 'rate', value: 'N', what: `frames a second, 10 to 100000 (default: ${RATE})` },
  ],
  seconds: (effort, asked) => {
    const { contenders, rounds, seconds } = optionsOf(asked ?? { effort })
    return Math.ceil(contenders.length * rounds * (seconds + 3))
  },
  check: (asked) => void availableOf(optionsOf(asked).contenders, asked),
  measure,
  show,
  figures: ({ runs }) => latencyFigures(runs, ['p50', 'p99']),
}

function optionsOf({ smoke, effort, only, options: values = {} }: Asked) {
  const preset = PRESETS[smoke ? 'smoke' : effort]
  const names = only?.join(',') ?? (smoke ? SMOKE.join(',') : undefined)
  return {
    contenders: pickNamed('--only', names, CONTENDERS),
    seconds: preset.seconds,
    rounds: number('--rounds', values.rounds, preset.rounds, 1, 1000),
    rate: number('--rate', values.rate, RATE, 10, 100_000),
  }
}

async function measure(context: Context): Promise<IdleLatencyResult> {
  const { contenders: asked, rounds, rate, seconds } = optionsOf(context)
  const { cpus, memory, patienceSeconds, signal } = context
  const contenders = availableOf(asked, context, context.say)
  const runs = contenders.map(({ name }) => ({ name, rounds: [] as Latency[] }))
  const attempts = new Turns(context)
  const result = () => ({
    framesPerSecond: rate,
    seconds,
    runs: runs.filter(({ rounds: taken }) => taken.length > 0),
  })
  const burst = validateLaunchOptions().burst
  const shared = { ring: 'split', frameBytes: 64, burst, cpus, memory } as const
  const turns = rounds * contenders.length
  for (let turn = 0; turn < turns; turn++) {
    const contender = contenders[turn % contenders.length] as Contender
    context.progress(contender.name, turn / turns)
    await waitUntilQuiet([cpus.switch, cpus.generator], patienceSeconds, signal)
    // That a thread has to wait for its CPU when it is woken is part of what is measured: nothing is put aside.
    const take = () =>
      withScene(contender.start, shared, signal, async ({ trial }) => {
        const milliseconds = seconds * 1000
        const taken = await trial({ framesPerSecond: rate, milliseconds, scattered: true })
        const its = latencyOf(taken)
        if (its === undefined) throw new Error(`no frames went through ${contender.name}`)
        return its
      })
    const latency = await attempts.take(contender.name, take)
    if (latency === undefined) continue
    runs[turn % contenders.length]?.rounds.push(latency)
    context.keep?.(result())
  }
  return result()
}

function show({ framesPerSecond, seconds, runs }: IdleLatencyResult): Exhibit[] {
  const rounds = runs[0]?.rounds.length ?? 0
  return [
    {
      kind: 'table',
      title: `Latency in µs at ${framesPerSecond} frames a second at random times`,
      rows: [
        ['switch', 'p50', 'p99', 'p99.9', 'max', 'p50 lowest', 'p50 highest'],
        ...runs.map(cells),
      ],
    },
    latencyPlot('Latency of frames that come now and then', runs),
    {
      kind: 'note',
      text: `Medians of ${counted(rounds, 'round')} of ${seconds} s each. All but ts-io-adaptive poll all the time.`,
    },
  ]
}

function cells({ name, rounds }: IdleLatencyResult['runs'][number]): string[] {
  const values = (key: 'p50' | 'p99' | 'p999' | 'max') => rounds.map((round) => round[key])
  const middles = (['p50', 'p99', 'p999', 'max'] as const).map((key) => median(values(key)))
  const all = [...middles, Math.min(...values('p50')), Math.max(...values('p50'))]
  return [name, ...all.map((microseconds) => microseconds.toFixed(1))]
}
