import { runBench } from '../run.js'
import type { Sample } from '../sample.js'
import { RETAKES } from '../sample-taker.js'
import { exponent, fitLine } from '../scale/fit.js'
import type { Context, Effort, Exhibit, Figure, Section } from '../section.js'
import { median } from '../statistics.js'
import { type Idle, ManyPorts } from './contender.js'
import { startTime } from './start-time.js'

const COUNTS: Readonly<Record<Effort, readonly number[]>> = {
  quick: [256],
  usual: [32, 256],
  full: [4, 8, 16, 32, 64, 128, 256],
}
const STARTS: Readonly<Record<Effort, readonly number[]>> = {
  quick: [2, 256],
  usual: [2, 64, 256],
  full: [2, 4, 8, 16, 32, 64, 128, 256, 512, 1000],
}
const ROUNDS: Readonly<Record<Effort, number>> = { quick: 1, usual: 3, full: 7 }
const SECONDS: Readonly<Record<Effort, number>> = { quick: 0.4, usual: 0.6, full: 1 }
const IDLE: readonly Idle[] = ['none', 'guests', 'stopped']

/** With its guests, started and ended. */
const TURN_SECONDS = 5
const START_SECONDS = 1.5

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
  /** The first is the switch with two ports, what the others are compared with. */
  readonly runs: readonly PortsRun[]
  /** Milliseconds from the start of the process until all ports are there, of each round. */
  readonly starts: readonly { readonly ports: number; readonly samples: readonly number[] }[]
}

/** What idle ports cost two busy ones on the same lcore, and how long many ports take to start. */
export const portsSection: Section<PortsResult> = {
  name: 'ports',
  title: 'Ports',
  seconds: (effort) =>
    ROUNDS[effort] *
    (COUNTS[effort].length * IDLE.length * TURN_SECONDS +
      STARTS[effort].length * START_SECONDS +
      3),
  measure,
  show,
  figures,
}

async function measure(context: Context): Promise<PortsResult> {
  const { effort, smoke, cpus, memory, signal, patienceSeconds } = context
  const rounds = smoke ? 1 : ROUNDS[effort]
  const counts = smoke ? [8] : COUNTS[effort]
  const contenders = [
    new ManyPorts(2, 'none'),
    ...counts.flatMap((count) => IDLE.map((idle) => new ManyPorts(count, idle))),
  ]
  const shared = { burst: 32, cpus, memory } as const
  const scenario = { ring: 'split', frameBytes: 64 } as const

  const starts = (smoke ? [2, 8] : STARTS[effort]).map((ports) => ({
    ports,
    samples: [] as number[],
  }))
  for (let round = 0; round < rounds; round++) {
    for (const [i, { ports, samples }] of starts.entries()) {
      signal.throwIfAborted()
      const done = (round + i / starts.length) / rounds
      context.progress(`start of ${ports} ports, round ${round + 1}`, 0.2 * done)
      samples.push(await startTime({ ...shared, ...scenario }, ports))
    }
  }
  const results = await runBench(
    {
      ...shared,
      contenders,
      scenarios: [scenario],
      rounds,
      seconds: smoke ? 0.1 : SECONDS[effort],
      limitSeconds: Number.POSITIVE_INFINITY,
      retakes: smoke ? 0 : RETAKES,
      patienceSeconds,
    },
    {
      turn: ({ round, run }, index, total) =>
        context.progress(`round ${round + 1}: ${run.name}`, 0.2 + (0.8 * index) / total),
      again: ({ run }, error) => context.say(`${run.name} is tried again: ${error.message}`),
      sample: () => {},
    },
    signal,
  )
  return {
    runs: contenders.map(({ ports, idle, name, guestCpus }, i) => {
      const samples = results.runs[i]?.samples ?? []
      return { ports, idle, name, samples, guestCpus }
    }),
    starts,
  }
}

/** The rate of each round to that of two ports in the same round, and what a frame costs. */
function compare({ runs }: PortsResult) {
  const two = runs[0]?.samples ?? []
  return runs.map(({ samples, ...run }) => {
    const ratios = samples.map(({ mpps }, round) => mpps / (two[round]?.mpps ?? Number.NaN))
    const cycles = samples.map(({ cyclesPerPacket }) => cyclesPerPacket)
    return { ...run, samples, ratios, cycles, ratio: median(ratios) }
  })
}

const IDLE_NAMES: Readonly<Record<Idle, string>> = {
  none: 'without a guest',
  guests: 'idle guests',
  stopped: 'stopped guests',
}

/** Points of one kind of idle ports; two ports, which have none, are the first of each. */
function pointsOf(result: PortsResult, idle: Idle) {
  return compare(result)
    .filter((run) => run.ports === 2 || run.idle === idle)
    .map(({ ports: x, cycles }) => {
      return { x, y: median(cycles), low: Math.min(...cycles), high: Math.max(...cycles) }
    })
}

function show(result: PortsResult): Exhibit[] {
  const range = (values: readonly number[]) =>
    `${Math.min(...values).toFixed(2)}-${Math.max(...values).toFixed(2)}`
  const starts = result.starts.map(({ ports: x, samples }) => ({ x, y: median(samples) }))
  return [
    {
      kind: 'plot',
      title: 'An active pair among idle ports: what a frame costs',
      x: { label: 'ports', scale: 'log' },
      y: { label: 'cycles a frame' },
      series: IDLE.map((idle) => ({ name: IDLE_NAMES[idle], points: pointsOf(result, idle) })),
    },
    {
      kind: 'table',
      title: 'An active pair among idle ports, on one lcore',
      rows: [
        ['ports', 'Mpps', 'to 2 ports', 'range', 'cycles a frame', "guests' CPUs"],
        ...compare(result).map(({ name, samples, ratios, ratio, cycles, guestCpus }) => [
          name,
          median(samples.map(({ mpps }) => mpps)).toFixed(2),
          ratio.toFixed(3),
          range(ratios),
          median(cycles).toFixed(0),
          median(guestCpus).toFixed(3),
        ]),
      ],
    },
    {
      kind: 'note',
      text: `Each port more costs a frame of the pair ${IDLE.map(
        (idle) =>
          `${fitLine(pointsOf(result, idle)).slope.toFixed(2)} cycles (${IDLE_NAMES[idle]})`,
      ).join(', ')}: least squares against the number of ports.`,
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
    {
      kind: 'note',
      text: `From 64 ports on it grows with the power ${exponent(
        starts.filter(({ x }) => x >= 64),
      ).toFixed(2)} of their number (1 is linear; least squares of the logarithms).`,
    },
  ]
}

function figures(result: PortsResult): Figure[] {
  return [
    ...compare(result).flatMap(({ name, ratios, ratio, cycles }): Figure[] => [
      {
        key: `${name} to 2 ports`,
        value: ratio,
        unit: 'times',
        low: Math.min(...ratios),
        high: Math.max(...ratios),
        better: 'more',
      },
      {
        key: `${name} cycles`,
        value: median(cycles),
        unit: 'cycles/frame',
        low: Math.min(...cycles),
        high: Math.max(...cycles),
        better: 'less',
      },
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
