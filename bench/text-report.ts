import type { Boundary } from './boundary.js'
import type { Machine } from './machine.js'
import type { Run } from './plan.js'
import { type Ratio, ratiosOf } from './ratios.js'
import type { Results } from './run.js'
import { median } from './statistics.js'
import { table } from './table.js'
import { caveats } from './verdict.js'

/** What is measured where, printed before the first sample. */
export function describe(machine: Machine): string {
  const { siblings } = machine
  const share = (cpu: number, group: readonly number[]) =>
    group.length > 1
      ? ` (shares its core with ${group.filter((other) => other !== cpu).join(', ')})`
      : ''
  return describeRows([
    ...machineRows(machine),
    ['switch', `CPU ${machine.switchCpu}${share(machine.switchCpu, siblings[0])}`],
    [
      'generator',
      `CPU ${machine.generatorCpu}${share(machine.generatorCpu, siblings[1])}: two guests, dpdk-testpmd or, for many flows, our own`,
    ],
    ['command', machine.command],
  ])
}

export type Row = readonly [key: string, value: string]

export function describeRows(rows: readonly Row[]): string {
  return rows.map(([key, value]) => `${key.padEnd(10)} ${value}`).join('\n')
}

/** What any measurement ran on. */
export function machineRows(machine: Machine): Row[] {
  const { versions } = machine
  return [
    [
      'machine',
      `${machine.cpu}, ${machine.cpus} CPUs${machine.virtual ? ' (virtual machine)' : ''}, ${machine.memoryGiB} GiB`,
    ],
    [
      'system',
      `${machine.distribution}, Linux ${machine.kernel} ${machine.kernelParameters.join(' ')}`.trim(),
    ],
    [
      'versions',
      `dpdk-vhost ${versions.package}${versions.commit ? ` (${versions.commit})` : ''}, Node.js ${versions.node}, ${versions.dpdk}, testpmd: ${versions.testpmd}`,
    ],
    ['memory', `${machine.memory} for every process; hugepages: ${hugepagesOf(machine)}`],
  ]
}

function hugepagesOf({ hugepages }: Machine): string {
  const some = hugepages.filter(({ total }) => total > 0)
  if (some.length === 0) return 'none reserved'
  return some
    .map(({ sizeKiB, total, free }) => `${total} of ${sizeKiB / 1024} MiB, ${free} free`)
    .join('; ')
}

/** The tables, printed after the last sample. */
export function summarize(
  results: Results,
  boundaries: readonly Boundary[],
  machine: Machine,
): string {
  const { runs, rounds } = results
  const ratios = ratiosOf(runs)
  const scenarios = [
    ...new Set(runs.map(({ ring, frameBytes }) => `${ring} ring, ${frameBytes}-byte frames`)),
  ]
  const tables = scenarios.map((title) => {
    const rows = runs.filter(
      ({ ring, frameBytes }) => title === `${ring} ring, ${frameBytes}-byte frames`,
    )
    return `${title}\n${table([HEAD, ...rows.map((run) => cells(run, ratios))])}`
  })
  const notes = caveats(results, machine).map((caveat) => `! ${caveat}`)
  const legend = `Medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}; ratios are of Mpps, paired round by round.`
  return [...tables, ...boundaries.map(describeBoundary), [legend, ...notes].join('\n')].join(
    '\n\n',
  )
}

function describeBoundary({ ring, pairs, ratio, byCycles, extraCycles }: Boundary): string {
  const rates = pairs.map(({ native, ts }) => ts.framesPerSecond / native.framesPerSecond)
  return (
    `${ring} ring, native-io and ts-io in turns on one lcore, ${pairs.length} pairs of slices:\n` +
    `ts-io is ${ratio.toFixed(3)} of native-io by frames (middle half ${quartile(rates, 1)}-${quartile(rates, 3)}), ` +
    `${byCycles.toFixed(3)} by cycles; TypeScript costs ${extraCycles.toFixed(1)} cycles a frame`
  )
}

function quartile(values: readonly number[], which: 1 | 3): string {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[Math.floor((which * (sorted.length - 1)) / 4)] ?? Number.NaN).toFixed(2)
}

const HEAD = [
  '',
  'Mpps',
  'lowest-highest',
  'cycles/frame',
  'busy',
  'generator',
  'frames/burst',
  'to testpmd-io',
  'to native-io',
  'to OVS-DPDK',
]

function cells(run: Run, ratios: readonly Ratio[]): string[] {
  const of = (pick: (sample: Run['samples'][number]) => number) => run.samples.map(pick)
  const rates = of(({ mpps }) => mpps)
  const bursts = run.samples.flatMap(({ burst }) => burst ?? [])
  const to = (other: string) => {
    const ratio = ratios.find(({ key }) => key.startsWith(`${run.name}/${other}`) && isOf(key, run))
    if (ratio === undefined) return ''
    const [low, high] = [Math.min(...ratio.rounds), Math.max(...ratio.rounds)]
    return `${ratio.ratio.toFixed(3)} (${low.toFixed(2)}-${high.toFixed(2)})`
  }
  return [
    run.name,
    median(rates).toFixed(2),
    `${Math.min(...rates).toFixed(2)}-${Math.max(...rates).toFixed(2)}`,
    median(of(({ cyclesPerPacket }) => cyclesPerPacket)).toFixed(1),
    share(median(of(({ busy }) => busy))),
    share(median(of(({ generatorBusy }) => generatorBusy))),
    bursts.length === 0 ? '' : median(bursts).toFixed(1),
    to('testpmd-io'),
    to('native-io'),
    to('ovs-'),
  ]
}

function isOf(key: string, { ring, frameBytes }: Run): boolean {
  return key.endsWith(`@${ring}@${frameBytes}`)
}

function share(value: number): string {
  return `${(100 * value).toFixed(0)} %`
}
