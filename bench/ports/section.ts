import { figureOf } from '../figure.js'
import { counting, pairsOf } from '../near.js'
import { entriesOf, type Run } from '../plan.js'
import { runBench } from '../run.js'
import type { Sample } from '../sample.js'
import { exponent, perDoubling } from '../scale/fit.js'
import type { Context, Effort, Exhibit, Figure, Section } from '../section.js'
import { median } from '../statistics.js'
import { Turns } from '../twice.js'
import { type Idle, ManyPorts } from './contender.js'
import { startTime } from './start-time.js'
import { measureTurns, type Turn } from './turns.js'

const COUNTS: Readonly<Record<Effort, readonly number[]>> = {
  quick: [256],
  usual: [256],
  full: [16, 256],
}
/** Of switches whose lcore takes turns. */
const TURNS: Readonly<Record<Effort, readonly number[]>> = {
  quick: [4, 256],
  usual: [4, 64, 256],
  full: [4, 8, 16, 32, 64, 128, 256],
}
const TURNS_MS: Readonly<Record<Effort, number>> = { quick: 2000, usual: 2000, full: 3000 }
const STARTS: Readonly<Record<Effort, readonly number[]>> = {
  quick: [2, 64, 256],
  usual: [2, 64, 256],
  full: [2, 8, 32, 128, 256, 512, 1000],
}
const ROUNDS: Readonly<Record<Effort, number>> = { quick: 1, usual: 1, full: 5 }
const SECONDS: Readonly<Record<Effort, number>> = { quick: 0.4, usual: 0.6, full: 1 }
const IDLE: readonly Idle[] = ['none', 'guests', 'stopped']

/** Below that many ports the start of the process is all there is to it. */
const MANY = 64

/** With what is started and ended around it: a sample, slices in turns, the start of a switch. */
const SAMPLE_SECONDS = 2
const TURNS_SECONDS = 5.5
const START_SECONDS = 1.2

export interface PortsRun {
  readonly ports: number
  readonly idle: Idle
  readonly name: string
  /** Of each round. */
  readonly samples: readonly Sample[]
  /** CPUs that the idle guests used, of each sample, those included that were taken again. */
  readonly guestCpus: readonly number[]
}

export interface PortsResult {
  /** One lcore that polls all queues and those of the pair in turns. */
  readonly turns: readonly { readonly ports: number; readonly turns: readonly Turn[] }[]
  /** The first is the switch with two ports, what the others are compared with. */
  readonly runs: readonly PortsRun[]
  /** Milliseconds from the start of the process until all ports are there, of each round. */
  readonly starts: readonly { readonly ports: number; readonly samples: readonly number[] }[]
}

/** What idle ports cost two busy ones on the same lcore, and how long many ports take to start. */
export const portsSection: Section<PortsResult> = {
  name: 'ports',
  title: 'What idle ports cost a busy pair, and how long many take to start',
  seconds: (effort) => {
    const samples = (1 + COUNTS[effort].length * IDLE.length) * (SAMPLE_SECONDS + SECONDS[effort])
    const round = samples + STARTS[effort].length * START_SECONDS
    const turns = TURNS[effort].length * (TURNS_SECONDS + TURNS_MS[effort] / 1000)
    return Math.round(ROUNDS[effort] * round + turns)
  },
  measure,
  show,
  figures,
}

async function measure(context: Context): Promise<PortsResult> {
  const { effort, smoke, cpus, memory, signal, patienceSeconds } = context
  const attempts = new Turns(context)
  const rounds = smoke ? 1 : ROUNDS[effort]
  const counts = smoke ? [8] : COUNTS[effort]
  const idles = smoke ? IDLE.slice(-1) : IDLE
  const contenders = [
    new ManyPorts(2, 'none'),
    ...counts.flatMap((count) => idles.map((idle) => new ManyPorts(count, idle))),
  ]
  const shared = { burst: 32, cpus, memory } as const
  const scenario = { ring: 'split', frameBytes: 64 } as const

  const starts = (smoke ? [2, 8] : STARTS[effort]).map((ports) => ({
    ports,
    samples: [] as number[],
  }))
  const turns: PortsResult['turns'][number][] = []
  const resultOf = (taken: readonly Run[]): PortsResult => ({
    runs: contenders.flatMap(({ ports, idle, name, guestCpus }) => {
      const samples = taken.find((run) => run.name === name)?.samples ?? []
      return samples.length === 0 ? [] : { ports, idle, name, samples, guestCpus }
    }),
    turns,
    starts: starts.filter(({ samples }) => samples.length > 0),
  })
  const keep = (taken: readonly Run[]) => context.keep?.(resultOf(taken))
  for (let round = 0; round < rounds; round++) {
    for (const [i, { ports, samples }] of starts.entries()) {
      signal.throwIfAborted()
      const done = (round + i / starts.length) / rounds
      context.progress(`start of ${ports} ports, round ${round + 1}`, 0.2 * done)
      const take = () => startTime({ ...shared, ...scenario }, ports)
      const taken = await attempts.take(`start of ${ports} ports`, take)
      if (taken !== undefined) samples.push(taken)
    }
    keep([])
  }
  for (const ports of smoke ? [4, 8] : TURNS[effort]) {
    context.progress(`${ports} ports and 2 in turns`, 0.2 + (0.3 * turns.length) / 7)
    const milliseconds = smoke ? 300 : TURNS_MS[effort]
    const take = () => measureTurns({ ...shared, ...scenario }, ports, milliseconds, signal)
    const taken = await attempts.take(`${ports} ports and 2 in turns`, take)
    if (taken !== undefined) turns.push({ ports, turns: taken })
    keep([])
  }
  const { runs } = await runBench(
    {
      ...shared,
      entries: entriesOf(contenders, [scenario]),
      // Guests of hundreds of ports.
      apart: true,
      rounds,
      seconds: smoke ? 0.1 : SECONDS[effort],
      limitSeconds: Number.POSITIVE_INFINITY,
      patienceSeconds,
    },
    {
      turn: ({ round, run }, index, total) =>
        context.progress(`round ${round + 1}: ${run.name}`, 0.5 + (0.5 * index) / total),
      again: ({ run }, error) => context.say(`${run.name} is tried again: ${error.message}`),
      lost: ({ run }, error) => context.lose(`${run.name}: ${error.message}`),
      sample: () => {},
      sofar: (sofar) => keep(sofar.runs),
    },
    signal,
  )
  return resultOf(runs)
}

/** What the queues of idle guests cost, turn by turn. */
function turnsOf({ turns }: PortsResult) {
  return turns.map(({ ports, turns: taken }) => ({
    ports,
    ratios: taken.map(({ all, pair }) => all.framesPerSecond / pair.framesPerSecond),
    extra: taken.map(({ all, pair }) => all.cyclesPerFrame - pair.cyclesPerFrame),
    pair: median(taken.map(({ pair }) => pair.cyclesPerFrame)),
  }))
}

/** Median and quartiles: of many short slices, the extremes are those that were disturbed. */
function quartiles(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] as number
  return {
    y: median(values),
    low: Math.min(at(0.25), median(values)),
    high: Math.max(at(0.75), median(values)),
  }
}

/** The rate of each round to that of two ports in the same round, and what a frame costs: of the samples that count. */
function compare({ runs }: PortsResult) {
  const two = runs.find(({ ports }) => ports === 2)?.samples ?? []
  return runs.map(({ samples: all, ...run }) => {
    const samples = counting(all)
    const ratios = pairsOf(all, two).map(([one, other]) => one.mpps / other.mpps)
    const cycles = samples.map(({ cyclesPerPacket }) => cyclesPerPacket)
    return { ...run, samples, ratios, cycles, ratio: median(ratios) }
  })
}

function show(result: PortsResult): Exhibit[] {
  const range = (values: readonly number[]) =>
    values.length === 0 ? '' : `${Math.min(...values).toFixed(2)}-${Math.max(...values).toFixed(2)}`
  const extra = turnsOf(result).map(({ ports: x, extra: more }) => ({ x, ...quartiles(more) }))
  const starts = result.starts.map(({ ports: x, samples }) => ({ x, y: median(samples) }))
  const many = starts.filter(({ x }) => x >= MANY)
  return [
    {
      kind: 'plot',
      title: 'What idle guests cost a frame of an active pair',
      x: { label: 'ports', scale: 'log' },
      y: { label: 'cycles a frame more' },
      series: [{ name: 'idle guests', points: extra }],
    },
    {
      kind: 'table',
      title:
        'What idle guests cost an active pair: one lcore polls all queues and the two in turns',
      rows: [
        ['ports', 'rate to 2 ports', 'quartiles', 'cycles a frame more', 'of 2 ports'],
        ...turnsOf(result).map(({ ports, ratios, extra: more, pair }) => {
          const { y, low, high } = quartiles(ratios)
          const range = `${low.toFixed(3)}-${high.toFixed(3)}`
          return [String(ports), y.toFixed(3), range, median(more).toFixed(1), pair.toFixed(0)]
        }),
      ],
    },
    {
      kind: 'note',
      text:
        `Each time that the ports double, a frame of the pair takes ${perDoubling(extra).toFixed(1)} cycles more (least squares ` +
        'against log2 of their number).',
    },
    {
      kind: 'table',
      title: 'An active pair among idle ports, on one lcore',
      rows: [
        ['ports', 'Mpps', 'to 2 ports', 'range', 'cycles a frame', "guests' CPUs"],
        ...compare(result).map(({ name, samples, ratios, ratio, cycles, guestCpus }) => [
          name,
          median(samples.map(({ mpps }) => mpps)).toFixed(2),
          ratios.length === 0 ? '' : ratio.toFixed(3),
          range(ratios),
          median(cycles).toFixed(0),
          median(guestCpus).toFixed(3),
        ]),
      ],
    },
    {
      kind: 'note',
      text:
        'Each of these is a process of its own, started anew in each round: believe the turns above where they differ. ' +
        'Guests that are stopped can take nothing of a CPU; what they cost is the switch polling their queues.',
    },
    {
      kind: 'plot',
      title: 'From the start of the process until all ports are there',
      x: { label: 'ports', scale: 'log' },
      y: { label: 'milliseconds', scale: 'log' },
      series: [{ name: 'ports without a guest, and a pair that is ready', points: starts }],
    },
    {
      kind: 'table',
      title: 'From the start of the process until all ports are there',
      rows: [['ports', 'ms'], ...starts.map(({ x, y }) => [String(x), y.toFixed(0)])],
    },
    ...(many.length < 2 ? [] : [growth(many)]),
  ]
}

function growth(points: readonly { readonly x: number; readonly y: number }[]): Exhibit {
  const text =
    `From ${MANY} ports on it grows with the power ${exponent(points).toFixed(2)} of their number (1 is linear; least ` +
    'squares of the logarithms).'
  return { kind: 'note', text }
}

function figures(result: PortsResult): Figure[] {
  return [
    ...turnsOf(result).flatMap(({ ports, ratios, extra }): Figure[] => {
      const { y: ratio, ...range } = quartiles(ratios)
      const { y: more, ...moreRange } = quartiles(extra)
      return [
        { key: `${ports} in turns`, value: ratio, ...range, unit: 'times', better: 'more' },
        { key: `${ports} extra`, value: more, ...moreRange, unit: 'cycles/frame', better: 'less' },
      ]
    }),
    ...compare(result).flatMap(({ name, ratios, cycles }): Figure[] => [
      ...(ratios.length === 0 ? [] : [figureOf(`${name} to 2 ports`, ratios, 'times', 'more')]),
      figureOf(`${name} cycles`, cycles, 'cycles/frame', 'less'),
    ]),
    ...result.starts.map(({ ports, samples }): Figure => {
      const low = Math.min(...samples)
      const high = Math.max(...samples)
      return {
        key: `start of ${ports}`,
        value: median(samples),
        unit: 'ms',
        low,
        high,
        better: 'less',
      }
    }),
  ]
}
