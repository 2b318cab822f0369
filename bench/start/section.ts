import { waitUntilQuiet } from '../quiet.js'
import type { Context, Effort, Exhibit, Figure, Section } from '../section.js'
import { extremes, median } from '../statistics.js'
import { Turns } from '../twice.js'
import { START_CONTENDERS } from './contender.js'
import { countOf, whoIsHere } from './here.js'
import { measureOpening, type Opening } from './opening.js'
import { PHASE_NAMES, PHASES } from './phases.js'
import { type StartSample, sampleStart } from './sample.js'

const ROUNDS: Readonly<Record<Effort, number>> = { quick: 1, usual: 3, full: 9 }

/** Who takes part in a test: that of `footprint` starts OVS-DPDK. */
const SMOKE = ['embedding', 'embedding-worker', 'vswitch', 'testpmd']

/** A turn, with the start of its guests and its end. */
const TURN_SECONDS = 1.4

export interface StartResult {
  readonly contenders: readonly {
    readonly name: string
    readonly what: string
    /** One of each round. */
    readonly samples: readonly StartSample[]
  }[]
  /** `Datapath.open` by itself, one of each round. */
  readonly openings: readonly Opening[]
  /** Those that are not here, and why. */
  readonly missing: readonly { readonly name: string; readonly why: string }[]
}

/** How long a switch takes from the start of its process to its first frame. */
export const startSection: Section<StartResult> = {
  name: 'start',
  title: 'From the start of the process to the first frame',
  contenders: START_CONTENDERS,
  check: ({ only }) => void whoIsHere(START_CONTENDERS, only),
  seconds: (effort, asked) =>
    Math.ceil(ROUNDS[effort] * (countOf(START_CONTENDERS, asked) + 0.5) * TURN_SECONDS),
  measure,
  show,
  figures,
}

async function measure(context: Context): Promise<StartResult> {
  const { cpus, patienceSeconds, signal, smoke, effort } = context
  const all = START_CONTENDERS.filter(({ name }) => !smoke || SMOKE.includes(name))
  const { here, missing } = whoIsHere(all, context.only)
  const runs = here.map((contender) => ({ contender, samples: [] as StartSample[] }))
  const openings: Opening[] = []
  const result = (): StartResult => ({
    contenders: runs
      .filter(({ samples }) => samples.length > 0)
      .map(({ contender: { name, what }, samples }) => ({ name, what, samples })),
    openings,
    missing,
  })
  const attempts = new Turns(context)
  const rounds = smoke ? 1 : ROUNDS[effort]
  for (let round = 0; round < rounds; round++) {
    for (const [i, { contender, samples }] of runs.entries()) {
      const done = (round + i / runs.length) / rounds
      context.progress(`round ${round + 1}: ${contender.name}`, done)
      await waitUntilQuiet([cpus.switch, cpus.generator], patienceSeconds, signal)
      const take = () => sampleStart(contender, context, signal)
      const sample = await attempts.take(contender.name, take)
      if (sample !== undefined) samples.push(sample)
    }
    signal.throwIfAborted()
    const opening = await attempts.take('Datapath.open', () => measureOpening(context))
    if (opening !== undefined) openings.push(opening)
    context.keep?.(result())
  }
  return result()
}

const ms = (values: readonly number[]) => median(values).toFixed(0)
const range = (values: readonly number[]) =>
  `${Math.min(...values).toFixed(0)}-${Math.max(...values).toFixed(0)}`

function show({ contenders, openings, missing }: StartResult): Exhibit[] {
  const names = contenders.map(({ name }) => name)
  const series = (name: string, key: 'readyMs' | 'firstFrameMs') => ({
    name,
    points: contenders.map(({ samples }, x) =>
      point(
        x,
        samples.map((sample) => sample[key]),
      ),
    ),
  })
  const ours = contenders.flatMap(({ name, samples }) => {
    const phases = samples.flatMap((sample) => sample.phases ?? [])
    return phases.length === 0 ? [] : [{ name, phases }]
  })
  const second = openings.map((opening) => opening.second)
  const eal = openings.map((opening) => opening.first - opening.second)
  return [
    {
      kind: 'table',
      title: 'Milliseconds from the start of the process, median and range',
      rows: [
        ['switch', 'both guests connected', 'range', 'first frame', 'range'],
        ...contenders.map(({ name, samples }) => {
          const ready = samples.map(({ readyMs }) => readyMs)
          const first = samples.map(({ firstFrameMs }) => firstFrameMs)
          return [name, ms(ready), range(ready), ms(first), range(first)]
        }),
      ],
    },
    {
      kind: 'plot',
      title: 'From the start of the process, median and range',
      x: { label: 'switch', names },
      y: { label: 'milliseconds' },
      series: [series('both guests connected', 'readyMs'), series('first frame', 'firstFrameMs')],
    },
    {
      kind: 'table',
      title: 'Where the time goes in ours, milliseconds',
      rows: [
        [
          'switch',
          ...PHASES.map((phase) => PHASE_NAMES[phase]),
          'of imports: addon',
          'lcore at',
          'polls at',
        ],
        ...ours.map(({ name, phases }) => [
          name,
          ...PHASES.map((phase) => ms(phases.map((of) => of[phase]))),
          ms(phases.map(({ addon }) => addon)),
          ms(phases.map(({ lcoreAt }) => lcoreAt)),
          ms(phases.map(({ polledAt }) => polledAt)),
        ]),
      ],
    },
    {
      kind: 'note',
      text:
        `EAL takes ${ms(eal)} ms (${range(eal)}): what Datapath.open takes in a new process, less ` +
        `the ${median(second).toFixed(1)} ms that it takes again in the same process, where EAL runs already.`,
    },
    ...missing.map(({ name, why }) => ({ kind: 'note', text: `Without ${name}: ${why}` }) as const),
  ]
}

function point(x: number, values: readonly number[]) {
  return { x, y: median(values), ...extremes(values) }
}

function figures({ contenders, openings }: StartResult): Figure[] {
  const figure = (key: string, values: readonly number[]): Figure => {
    const { y: value, low, high } = point(0, values)
    return { key, value, unit: 'ms', low, high, better: 'less' }
  }
  return [
    ...contenders.flatMap(({ name, samples }) => {
      const phases = samples.flatMap((sample) => sample.phases ?? [])
      return [
        figure(
          `${name} ready`,
          samples.map(({ readyMs }) => readyMs),
        ),
        figure(
          `${name} first frame`,
          samples.map(({ firstFrameMs }) => firstFrameMs),
        ),
        ...(phases.length === 0
          ? []
          : PHASES.map((phase) =>
              figure(
                `${name} phase ${phase}`,
                phases.map((of) => of[phase]),
              ),
            )),
      ]
    }),
    figure(
      'EAL',
      openings.map(({ first, second }) => first - second),
    ),
  ]
}
