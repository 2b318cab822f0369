import { writeFileSync } from 'node:fs'
import { cpuPair, number, one, parseFlags } from '../arguments.js'
import { chooseCpus } from '../cpus.js'
import { describeMachine } from '../machine.js'
import { chooseMemory } from '../memory.js'
import { Progress } from '../progress.js'
import { runBench } from '../run.js'
import { RETAKES } from '../sample-taker.js'
import { median } from '../statistics.js'
import { table } from '../table.js'
import { describe } from '../text-report.js'
import { caveats } from '../verdict.js'
import { switchWithPorts } from './contender.js'
import { startTime } from './start-time.js'

const HELP = `npm run bench -- ports [options]      one switch with many ports, of which two are active

  --ports N        ports of the switch, 3 to 1024 (default: 256); it is compared with one of 2
  --quick          one short round
  --rounds N       rounds in which each takes its turn (default: 5)
  --seconds N      measured time of each turn (default: 1)
  --patience N     seconds to wait, before each turn, for both CPUs to be free (default: 0)
  --retakes N      how often a disturbed sample is taken again (default: ${RETAKES})
  --memory KIND    hugepages or memfd, for every process (default: hugepages if enough are free)
  --cpus S,G       CPU of the switch and CPU of the guests (default: two that share no core)
  --json FILE      writes everything that was measured
  --help           shows this
`

const VALUES = [
  'ports',
  'rounds',
  'seconds',
  'patience',
  'retakes',
  'memory',
  'cpus',
  'json',
] as const

/** What `--json` writes, beside the machine. */
export interface PortsReport {
  readonly ports: number
  readonly runs: readonly {
    readonly name: string
    readonly mpps: number
    readonly rounds: readonly object[]
  }[]
  /** Rate of each to that of the switch with two ports, by its name: the median over rounds. */
  readonly ratios: Readonly<Record<string, number>>
  /** Milliseconds until a switch with 2 ports, and one with all of them, is ready; of each round. */
  readonly startMs: Readonly<Record<string, readonly number[]>>
  readonly caveats: readonly string[]
}

/**
 * `npm run bench -- ports`: see README.md of the bench.
 *
 * @throws UsageError; the signal's reason when it is aborted
 */
export async function measurePorts(args: readonly string[], signal: AbortSignal): Promise<void> {
  const values = parseFlags(args, VALUES, ['quick'])
  if (values.help) {
    process.stdout.write(HELP)
    return
  }
  const ports = number('--ports', values.ports, 256, 3, 1024)
  const rounds = number('--rounds', values.rounds, values.quick ? 1 : 5, 1, 1000)
  const seconds = number('--seconds', values.seconds, values.quick ? 0.4 : 1, 0.1, 600, false)
  const cpus = chooseCpus(cpuPair(values.cpus))
  const memory = chooseMemory(
    one('--memory', values.memory ?? 'auto', ['auto', 'hugepages', 'memfd']),
  )
  const machine = describeMachine(cpus, memory, ['ports', ...args])
  process.stdout.write(`${describe(machine)}\n\n`)

  const contenders = [
    switchWithPorts(2, false),
    switchWithPorts(ports, false),
    switchWithPorts(ports, true),
  ]
  const shared = { ring: 'split', frameBytes: 64, burst: 32, cpus, memory } as const
  const progress = new Progress()
  try {
    const startMs: Record<string, number[]> = { 2: [], [ports]: [] }
    for (let round = 0; round < rounds; round++) {
      for (const count of [2, ports]) {
        signal.throwIfAborted()
        startMs[count]?.push(await startTime(shared, count))
      }
    }
    const patienceSeconds = number('--patience', values.patience, 0, 0, 3600)
    const retakes = number('--retakes', values.retakes, RETAKES, 0, 100)
    const scenarios = [{ ring: 'split', frameBytes: 64 }] as const
    const limitSeconds = Number.POSITIVE_INFINITY
    const options = {
      contenders,
      scenarios,
      rounds,
      seconds,
      limitSeconds,
      retakes,
      patienceSeconds,
    }
    const results = await runBench({ ...options, burst: 32, cpus, memory }, progress, signal)
    progress.end()
    const [two] = results.runs
    const ratioOf = (samples: readonly { mpps: number }[]) =>
      median(samples.map(({ mpps }, i) => mpps / (two?.samples[i]?.mpps as number)))
    const report: PortsReport = {
      ports,
      runs: results.runs.map(({ name, samples }) => {
        return { name, mpps: median(samples.map(({ mpps }) => mpps)), rounds: samples }
      }),
      ratios: Object.fromEntries(
        results.runs.slice(1).map(({ name, samples }) => [name, ratioOf(samples)]),
      ),
      startMs,
      caveats: caveats(results, machine),
    }
    process.stdout.write(`${summarize(report)}\n`)
    if (values.json === undefined) return
    writeFileSync(values.json, `${JSON.stringify({ machine, ...report }, undefined, 2)}\n`)
  } finally {
    progress.end()
  }
}

function summarize({ runs, ratios, startMs, caveats: said }: PortsReport): string {
  const rows = runs.map(({ name, mpps }) => [name, mpps.toFixed(2), ratios[name]?.toFixed(3) ?? ''])
  const starts = Object.entries(startMs).map(
    ([count, times]) => `${count} ports: ${median(times).toFixed(0)} ms`,
  )
  return [
    table([['', 'Mpps', 'to 2 ports'], ...rows]),
    `Ready after the start of the process: ${starts.join(', ')}`,
    ...said.map((caveat) => `! ${caveat}`),
  ].join('\n\n')
}
