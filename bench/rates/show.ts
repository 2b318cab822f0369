import { counted } from '../../src/switch/counted.js'
import type { Boundary } from '../boundary.js'
import { counting, ratesOf } from '../near.js'
import type { Exhibit, Plot } from '../section.js'
import { extremes, median } from '../statistics.js'
import type { JsonRun, RatesResult } from './result.js'

export function show(result: RatesResult): Exhibit[] {
  const { runs, settings } = result
  const { rounds, load } = settings
  const scenarios = [...new Set(runs.map(titleOf))]
  return [
    ...(runs.length > 1 ? [plotOf(runs)] : []),
    ...scenarios.map((title) => ({
      kind: 'table' as const,
      title,
      rows: [
        HEAD,
        ...runs.filter((run) => titleOf(run) === title).map((run) => cells(run, result)),
      ],
    })),
    ...(load === undefined ? [] : [note(load)]),
    ...result.boundaries.map((boundary) => note(describeBoundary(boundary))),
    note(`Medians of ${counted(rounds, 'round')}; ratios are of Mpps, paired round by round.`),
    ...result.caveats.map((text) => ({ kind: 'note' as const, text, caveat: true })),
  ]
}

function note(text: string): Exhibit {
  return { kind: 'note', text }
}

function titleOf({ ring, frameBytes }: JsonRun): string {
  const ways = ring === 'none' ? 'through the kernel, without virtqueues' : `${ring} ring`
  return `${ways}, ${frameBytes}-byte frames`
}

function plotOf(runs: readonly JsonRun[]): Plot {
  const names = [...new Set(runs.map(({ name }) => name))]
  const scenarios = [...new Set(runs.map(titleOf))]
  return {
    kind: 'plot',
    title: 'Rate of each switch, median and extremes',
    x: { label: '', names },
    y: { label: 'Mpps' },
    series: scenarios.map((title) => ({
      name: title,
      points: runs
        .filter((run) => titleOf(run) === title)
        .map((run) => ({
          x: names.indexOf(run.name),
          y: run.mpps,
          ...extremes(ratesOf(run.rounds)),
        })),
    })),
  }
}

function describeBoundary({ ring, pairs, ratio, byCycles, extraCycles }: Boundary): string {
  const rates = pairs.map(({ native, ts }) => ts.framesPerSecond / native.framesPerSecond)
  return (
    `${ring} ring, native-io and ts-io in turns on one lcore, ${pairs.length} pairs of slices: ` +
    `ts-io is ${ratio.toFixed(3)} of native-io by frames (middle half ${quartile(rates, 1)}-${quartile(rates, 3)}), ` +
    `${byCycles.toFixed(3)} by cycles; TypeScript costs ${extraCycles.toFixed(1)} cycles a frame.`
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

function cells(run: JsonRun, { ratios, ratioRounds }: RatesResult): string[] {
  const samples = counting(run.rounds)
  const of = (pick: (sample: JsonRun['rounds'][number]) => number) => samples.map(pick)
  const bursts = samples.flatMap(({ burst }) => burst ?? [])
  const to = (other: string) => {
    const key = Object.keys(ratios).find(
      (one) =>
        one.startsWith(`${run.name}/${other}`) && one.endsWith(`@${run.ring}@${run.frameBytes}`),
    )
    if (key === undefined) return ''
    const rounds = ratioRounds[key] ?? []
    const { low, high } = extremes(rounds)
    const fewer = rounds.length < run.samples.length ? `, ${rounds.length} pairs` : ''
    return `${(ratios[key] as number).toFixed(3)} (${low.toFixed(2)}-${high.toFixed(2)}${fewer})`
  }
  const { low, high } = extremes(ratesOf(run.rounds))
  const [some, all] = [samples.length, run.samples.length]
  const fewer = some < all ? `, ${some} of ${all}` : ''
  return [
    run.name,
    run.mpps.toFixed(2),
    `${low.toFixed(2)}-${high.toFixed(2)}${fewer}`,
    run.cyclesPerPacket.toFixed(1),
    share(median(of(({ busy }) => busy))),
    share(median(of(({ generatorBusy }) => generatorBusy))),
    bursts.length === 0 ? '' : median(bursts).toFixed(1),
    to('testpmd-io'),
    to('native-io'),
    to('ovs-'),
  ]
}

function share(value: number): string {
  return `${(100 * value).toFixed(0)} %`
}
