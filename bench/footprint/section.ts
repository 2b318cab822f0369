import { waitUntilQuiet } from '../quiet.js'
import type { Context, Effort, Exhibit, Figure, Section } from '../section.js'
import { countOf, whoIsHere } from '../start/here.js'
import { extremes, median } from '../statistics.js'
import { Turns } from '../twice.js'
import { FOOTPRINT_CONTENDERS } from './contender.js'
import { type FootprintSample, sampleFootprint, type Times } from './sample.js'

/** Frames a second that are offered. */
const RATES: Readonly<Record<Effort, readonly number[]>> = {
  quick: [100_000],
  usual: [10_000, 100_000, 400_000],
  full: [1000, 10_000, 100_000, 200_000, 400_000],
}
const ROUNDS: Readonly<Record<Effort, number>> = { quick: 1, usual: 1, full: 3 }
const TIMES: Readonly<Record<Effort, Times>> = {
  quick: { idleMs: 1000, loadMs: 500 },
  usual: { idleMs: 1000, loadMs: 600 },
  full: { idleMs: 1500, loadMs: 700 },
}

/** One of each kind. */
const SMOKE = ['embedding-spin', 'vswitch-adaptive', 'testpmd', 'ovs-dpdk']

/** Of a turn, besides what is measured: guests and switch come and go, and settle. */
const AROUND_SECONDS = 3.5

export interface FootprintResult {
  readonly contenders: readonly {
    readonly name: string
    readonly what: string
    readonly sleeps: boolean
    /** One of each round. */
    readonly samples: readonly FootprintSample[]
  }[]
  /** Those that are not here, and why. */
  readonly missing: readonly { readonly name: string; readonly why: string }[]
}

/** What a switch takes of a machine: memory, and CPU with nothing to do and with little. */
export const footprintSection: Section<FootprintResult> = {
  name: 'footprint',
  title: 'Memory, idle CPU, CPU for a given load',
  contenders: FOOTPRINT_CONTENDERS,
  check: ({ only }) => void whoIsHere(FOOTPRINT_CONTENDERS, only),
  seconds: (effort, asked) => {
    const { idleMs, loadMs } = TIMES[effort]
    const turn = AROUND_SECONDS + (idleMs + RATES[effort].length * (loadMs + 300)) / 1000
    return Math.ceil(ROUNDS[effort] * countOf(FOOTPRINT_CONTENDERS, asked) * turn)
  },
  measure,
  show,
  figures,
}

async function measure(context: Context): Promise<FootprintResult> {
  const { cpus, patienceSeconds, signal, smoke, effort } = context
  const all = FOOTPRINT_CONTENDERS.filter(({ name }) => !smoke || SMOKE.includes(name))
  const { here, missing } = whoIsHere(all, context.only)
  const runs = here.map((contender) => ({ contender, samples: [] as FootprintSample[] }))
  const result = (): FootprintResult => ({
    contenders: runs
      .filter(({ samples }) => samples.length > 0)
      .map(({ contender: { name, what, sleeps }, samples }) => ({ name, what, sleeps, samples })),
    missing,
  })
  const attempts = new Turns(context)
  const rounds = smoke ? 1 : ROUNDS[effort]
  const rates = smoke ? [10_000] : RATES[effort]
  const times = smoke ? { idleMs: 200, loadMs: 200 } : TIMES[effort]
  for (let round = 0; round < rounds; round++) {
    for (const [i, { contender, samples }] of runs.entries()) {
      const done = (round + i / runs.length) / rounds
      context.progress(`round ${round + 1}: ${contender.name}`, done)
      await waitUntilQuiet([cpus.switch, cpus.generator], patienceSeconds, signal)
      const take = () => sampleFootprint(contender, context, rates, times, signal)
      const sample = await attempts.take(contender.name, take)
      if (sample !== undefined) samples.push(sample)
    }
    context.keep?.(result())
  }
  return result()
}

const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1)

function show({ contenders, missing }: FootprintResult): Exhibit[] {
  const of = (samples: readonly FootprintSample[], value: (sample: FootprintSample) => number) =>
    median(samples.map(value))
  const heap = (samples: readonly FootprintSample[]) =>
    samples[0]?.heaps.length
      ? mib(of(samples, ({ heaps }) => heaps.reduce((sum, { used }) => sum + used, 0)))
      : '-'
  return [
    {
      kind: 'table',
      title: 'Memory of the process with two guests, MiB',
      rows: [
        ['switch', 'RSS', 'PSS', 'anonymous', 'files', 'shared', 'hugepages', 'V8 heaps'],
        ...contenders.map(({ name, samples }) => [
          name,
          ...(['rss', 'pss', 'anonymous', 'file', 'shared', 'huge'] as const).map((key) =>
            mib(of(samples, ({ memory }) => memory[key])),
          ),
          heap(samples),
        ]),
      ],
    },
    {
      kind: 'note',
      text:
        "Shared: DPDK's memory where there are no hugepages, and what the guests gave, as far as it was touched. V8 heaps: " +
        'of all threads together, what is used; it is part of what is anonymous.',
    },
    {
      kind: 'table',
      title: 'CPU seconds a second: two guests that send nothing',
      rows: [
        ['switch', 'all threads', 'the one that polls', 'the others'],
        ...contenders.map(({ name, samples }) => [
          name,
          of(samples, ({ idle }) => idle.all).toFixed(3),
          of(samples, ({ idle }) => idle.busiest).toFixed(3),
          of(samples, ({ idle }) => idle.all - idle.busiest).toFixed(3),
        ]),
      ],
    },
    {
      kind: 'plot',
      title: 'CPU for a load',
      x: { label: 'Mpps offered', scale: 'log' },
      y: { label: 'CPU seconds a second' },
      series: contenders.map(({ name, samples }) => ({
        name,
        points: loadsOf(samples).map(({ offered, cpu, low, high }) => ({
          x: offered / 1e6,
          y: cpu,
          low,
          high,
        })),
      })),
    },
    {
      kind: 'table',
      title: 'CPU seconds for a million frames, by the load that was offered, frames a second',
      rows: [
        ['switch', ...ratesOf(contenders).map((rate) => rate.toLocaleString('en'))],
        ...contenders.map(({ name, samples }) => [
          name,
          ...loadsOf(samples).map(({ perMillion }) => perMillion.toFixed(2)),
        ]),
      ],
    },
    ...missing.map(({ name, why }) => ({ kind: 'note', text: `Without ${name}: ${why}` }) as const),
  ]
}

function ratesOf(contenders: FootprintResult['contenders']): number[] {
  return (contenders[0]?.samples[0]?.loads ?? []).map(({ offered }) => offered)
}

/** Medians over rounds, by load. */
function loadsOf(samples: readonly FootprintSample[]) {
  return (samples[0]?.loads ?? []).map(({ offered }, i) => {
    const all = samples.flatMap(({ loads }) => loads[i] ?? [])
    const cpus = all.map(({ cpu }) => cpu.all)
    const each = all.map(({ cpu, mpps }) => cpu.all / mpps)
    return {
      offered,
      mpps: median(all.map(({ mpps }) => mpps)),
      cpu: median(cpus),
      ...extremes(cpus),
      perMillion: median(each),
      perMillionLow: Math.min(...each),
      perMillionHigh: Math.max(...each),
    }
  })
}

function figures({ contenders }: FootprintResult): Figure[] {
  return contenders.flatMap(({ name, samples }): Figure[] => {
    const figure = (key: string, unit: string, values: readonly number[]): Figure => ({
      key: `${name} ${key}`,
      value: median(values),
      unit,
      ...extremes(values),
      better: 'less',
    })
    return [
      figure(
        'RSS',
        'MiB',
        samples.map(({ memory }) => memory.rss / 2 ** 20),
      ),
      figure(
        'idle',
        'CPU',
        samples.map(({ idle }) => idle.all),
      ),
      ...loadsOf(samples).map(
        ({ offered, perMillion: value, perMillionLow: low, perMillionHigh: high }): Figure => {
          const key = `${name} at ${offered}`
          return { key, value, low, high, unit: 'CPU s/million frames', better: 'less' }
        },
      ),
    ]
  })
}
