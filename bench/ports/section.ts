import { number } from '../arguments.js'
import { ContextListener } from '../context-listener.js'
import { isVirtual } from '../machine.js'
import { runBench } from '../run.js'
import { RETAKES } from '../sample-taker.js'
import type { Asked, Context, Exhibit, Figure, Section } from '../section.js'
import { median } from '../statistics.js'
import { caveats } from '../verdict.js'
import { switchWithPorts } from './contender.js'
import { startTime } from './start-time.js'

/** What goes into the JSON. */
export interface PortsResult {
  readonly ports: number
  readonly runs: readonly {
    readonly name: string
    readonly mpps: number
    readonly rounds: readonly { readonly mpps: number }[]
  }[]
  /** Rate of each to that of the switch with two ports, by its name: the median over rounds. */
  readonly ratios: Readonly<Record<string, number>>
  /** Milliseconds until a switch with 2 ports, and one with all of them, is ready; of each round. */
  readonly startMs: Readonly<Record<string, readonly number[]>>
  readonly caveats: readonly string[]
}

const PRESETS = {
  smoke: { ports: 8, rounds: 1, seconds: 0.1, retakes: 0 },
  quick: { ports: 256, rounds: 1, seconds: 0.4, retakes: RETAKES },
  usual: { ports: 256, rounds: 3, seconds: 1, retakes: RETAKES },
  full: { ports: 256, rounds: 9, seconds: 1, retakes: RETAKES },
}

/** One switch with many ports, of which two are active. */
export const portsSection: Section<PortsResult> = {
  name: 'ports',
  title: 'What many idle ports cost two busy ones',
  options: [
    { name: 'ports', value: 'N', what: 'ports of the switch, 3 to 1024 (default: 256), beside 2' },
    { name: 'rounds', value: 'N', what: 'rounds in which each takes its turn (default: 3)' },
    { name: 'seconds', value: 'N', what: 'measured time of each turn (default: 1)' },
    {
      name: 'retakes',
      value: 'N',
      what: `how often a disturbed sample is taken again (default: ${RETAKES})`,
    },
  ],
  seconds: (effort) => ({ quick: 0, usual: 90, full: 270 })[effort],
  check: (asked) => void optionsOf(asked),
  measure,
  show,
  figures,
}

function optionsOf({ smoke, effort, options: values = {} }: Asked) {
  const preset = PRESETS[smoke ? 'smoke' : effort]
  return {
    ports: number('--ports', values.ports, preset.ports, 3, 1024),
    rounds: number('--rounds', values.rounds, preset.rounds, 1, 1000),
    seconds: number('--seconds', values.seconds, preset.seconds, 0.1, 600, false),
    retakes: number('--retakes', values.retakes, preset.retakes, 0, 100),
  }
}

async function measure(context: Context): Promise<PortsResult> {
  const { ports, ...options } = optionsOf(context)
  const { cpus, memory, patienceSeconds, signal } = context
  const contenders = [
    switchWithPorts(2, false),
    switchWithPorts(ports, false),
    switchWithPorts(ports, true),
  ]
  const shared = { ring: 'split', frameBytes: 64, burst: 32, cpus, memory } as const
  const startMs: Record<string, number[]> = { 2: [], [ports]: [] }
  for (let round = 0; round < options.rounds; round++) {
    for (const count of [2, ports]) {
      signal.throwIfAborted()
      context.progress(`the start of ${count} ports`, 0)
      startMs[count]?.push(await startTime(shared, count))
    }
  }
  const scenarios = [{ ring: 'split', frameBytes: 64 }] as const
  const limitSeconds = Number.POSITIVE_INFINITY
  const results = await runBench(
    { ...options, contenders, scenarios, limitSeconds, patienceSeconds, burst: 32, cpus, memory },
    new ContextListener(context),
    signal,
  )
  const [two] = results.runs
  const ratioOf = (samples: readonly { mpps: number }[]) =>
    median(samples.map(({ mpps }, i) => mpps / (two?.samples[i]?.mpps as number)))
  return {
    ports,
    runs: results.runs.map(({ name, samples }) => {
      return { name, mpps: median(samples.map(({ mpps }) => mpps)), rounds: samples }
    }),
    ratios: Object.fromEntries(
      results.runs.slice(1).map(({ name, samples }) => [name, ratioOf(samples)]),
    ),
    startMs,
    caveats: caveats(results, isVirtual()),
  }
}

function show({ runs, ratios, startMs, caveats: said }: PortsResult): Exhibit[] {
  const rows = runs.map(({ name, mpps }) => [name, mpps.toFixed(2), ratios[name]?.toFixed(3) ?? ''])
  const starts = Object.entries(startMs).map(
    ([count, times]) => `${count} ports: ${median(times).toFixed(0)} ms`,
  )
  return [
    { kind: 'table', title: 'A busy pair', rows: [['', 'Mpps', 'to 2 ports'], ...rows] },
    { kind: 'note', text: `Ready after the start of the process: ${starts.join(', ')}.` },
    ...said.map((text) => ({ kind: 'note' as const, text, caveat: true })),
  ]
}

function figures({ runs }: PortsResult): Figure[] {
  return runs.map(({ name, mpps, rounds }) => {
    const rates = rounds.map((round) => round.mpps)
    const range = { low: Math.min(...rates), high: Math.max(...rates) }
    return { key: name, value: mpps, unit: 'Mpps', ...range, better: 'more' }
  })
}
