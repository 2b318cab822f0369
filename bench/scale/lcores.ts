import { parseCpuList } from '../cpus.js'
import { Channel } from '../own/channel.js'
import type { Context, Effort, Exhibit, Figure, Section } from '../section.js'
import { START_MS } from '../setup.js'
import { withFolder } from '../sockets.js'
import { extremes, median } from '../statistics.js'
import { Turns } from '../twice.js'
import { unlessAborted } from '../unless-aborted.js'
import { fitLine } from './fit.js'

const ROUNDS: Readonly<Record<Effort, number>> = { quick: 1, usual: 3, full: 7 }
const MILLISECONDS = 400

/** `crossConnect` shares nothing but packet memory; lcores of `learningSwitch` share their table. */
export const LCORE_PROGRAMS = ['crossConnect', 'learningSwitch'] as const
export type LcoreProgram = (typeof LCORE_PROGRAMS)[number]

export interface LcoresStart {
  readonly cpus: readonly number[]
  readonly program: LcoreProgram
  readonly memory: 'hugepages' | 'memfd'
  readonly memoryMiB: number
  readonly milliseconds: number
}

/** Of one number of lcores. */
export interface LcoresSlice {
  readonly lcores: number
  /** Of all of them together. */
  readonly mpps: number
  /** Mean of the lcores. */
  readonly cyclesPerFrame: number
}

export interface LcoresResult {
  readonly cpus: readonly number[]
  readonly programs: readonly {
    readonly program: LcoreProgram
    /** Slices of 1, 2 and more lcores, of each round. */
    readonly rounds: readonly (readonly LcoresSlice[])[]
  }[]
}

/** What a frame costs when 1, 2 and more lcores forward frames of their own at the same time. */
export const lcores: Section<LcoresResult> = {
  name: 'lcores',
  title: 'A frame, against the lcores that forward at the same time',
  seconds: (effort) => ROUNDS[effort] * LCORE_PROGRAMS.length * 3,
  measure,
  show,
  figures,
}

async function measure(context: Context): Promise<LcoresResult> {
  const { cpus, memory, signal, smoke, effort } = context
  const all = parseCpuList(cpus.others)
  const programs = LCORE_PROGRAMS.map((program) => ({ program, rounds: [] as LcoresSlice[][] }))
  const attempts = new Turns(context)
  const rounds = smoke ? 1 : ROUNDS[effort]
  for (let round = 0; round < rounds; round++) {
    for (const one of programs) {
      signal.throwIfAborted()
      context.progress(
        `round ${round + 1}: ${one.program} on 1 to ${all.length} lcores`,
        round / rounds,
      )
      const milliseconds = smoke ? 50 : MILLISECONDS
      const { kind, mib } = memory
      const start = { cpus: all, program: one.program, memory: kind, memoryMiB: mib, milliseconds }
      const slices = await attempts.take(one.program, () => measureRound(start, signal))
      if (slices !== undefined) one.rounds.push(slices)
    }
    context.keep?.({ cpus: all, programs })
  }
  return { cpus: all, programs }
}

function measureRound(start: LcoresStart, signal: AbortSignal): Promise<LcoresSlice[]> {
  return withFolder(async (folder) => {
    const script = new URL('./lcores-main.js', import.meta.url)
    type Reply = { kind: 'slices'; slices: LcoresSlice[] }
    await using own = new Channel<never, Reply>('lcores', script, start, folder)
    const patience = START_MS + 4 * start.milliseconds * start.cpus.length
    return (await unlessAborted(own.reply('slices', patience), signal)).slices
  })
}

/** Medians over rounds, by number of lcores. */
function medians(rounds: readonly (readonly LcoresSlice[])[]) {
  return (rounds[0] ?? []).map(({ lcores: count }, i) => {
    const all = rounds.map((round) => round[i] as LcoresSlice)
    const cycles = all.map(({ cyclesPerFrame }) => cyclesPerFrame)
    const mpps = all.map((slice) => slice.mpps)
    return {
      lcores: count,
      mpps: median(mpps),
      cycles: median(cycles),
      ...extremes(cycles),
    }
  })
}

function slopeOf(rounds: readonly (readonly LcoresSlice[])[]): number {
  return fitLine(medians(rounds).map(({ lcores: x, cycles: y }) => ({ x, y }))).slope
}

function show(result: LcoresResult): Exhibit[] {
  const { programs, cpus } = result
  return [
    {
      kind: 'plot',
      title: 'Lcores that forward frames of their own: what a frame costs',
      x: { label: 'lcores' },
      y: { label: 'cycles a frame' },
      series: programs.map(({ program, rounds }) => ({
        name: program,
        points: medians(rounds).map(({ lcores: x, cycles: y, low, high }) => ({ x, y, low, high })),
      })),
    },
    {
      kind: 'table',
      title: 'Lcores that forward frames of their own, made and dropped by net_null',
      rows: [
        ['program', 'lcores', 'Mpps', 'cycles a frame'],
        ...programs.flatMap(({ program, rounds }) =>
          medians(rounds).map(({ lcores: count, mpps, cycles }) => [
            program,
            String(count),
            mpps.toFixed(1),
            cycles.toFixed(1),
          ]),
        ),
      ],
    },
    ...(cpus.length < 2 ? [] : [growth(result)]),
  ]
}

function growth({ programs, cpus }: LcoresResult): Exhibit {
  const few = cpus.length < 4
  return {
    kind: 'note',
    text:
      `Each lcore more costs each frame ${programs
        .map(({ program, rounds }) => `${slopeOf(rounds).toFixed(1)} cycles (${program})`)
        .join(', ')}: least squares against the number of lcores.` +
      (few ? ` There are ${cpus.length} CPUs here: that is no line.` : ''),
    caveat: few,
  }
}

function figures({ programs }: LcoresResult): Figure[] {
  return programs.flatMap(({ program, rounds }) => [
    ...medians(rounds).map(({ lcores: count, cycles: value, low, high }): Figure => {
      return {
        key: `${program} on ${count}`,
        value,
        low,
        high,
        unit: 'cycles/frame',
        better: 'less',
      }
    }),
  ])
}
