import { counted } from '../../src/switch/counted.js'
import { ratesOf } from '../near.js'
import type { Exhibit, Plot, Table } from '../section.js'
import { extremes } from '../statistics.js'
import { gbpsOf, type SliceResult, type SliceRun, type SlicesResult } from './result.js'

const HEAD = [
  '',
  'Mpps',
  'lowest-highest',
  'Gbit/s',
  'cycles/frame',
  'busy',
  'generator',
  'lost of a million',
]

/** What one has to know of this load to read that slice. */
const QUEUES =
  'One lcore of dpdk-vhost or OVS sends by one queue of each guest, and the guest sends back what came by the same: its other ' +
  'queues are polled and empty. testpmd keeps each frame in its queue, so all of them are in use.'

export function show(result: SlicesResult): Exhibit[] {
  const { rounds, slices } = result
  const note = (text: string, caveat = false): Exhibit => ({ kind: 'note', text, caveat })
  return [
    ...slices
      .filter(({ contenders }) => contenders.length > 0)
      .flatMap((slice) => [
        plotOf(slice, result, 'Mpps', (mpps) => mpps),
        ...(slice.name === 'sizes' ? [plotOf(slice, result, 'Gbit/s', gbpsOf)] : []),
        tableOf(slice, result),
        ...(slice.name === 'queue-pairs' ? [note(QUEUES)] : []),
      ]),
    note(
      `Medians of ${counted(rounds, 'round')}. Bits are those of frames without FCS, preamble and gap.`,
    ),
    ...result.leftOut.map((text) => note(text)),
    ...result.caveats.map((text) => note(text, true)),
  ]
}

function plotOf(
  slice: SliceResult,
  { runs }: SlicesResult,
  unit: string,
  value: (mpps: number, frameBytes: number) => number,
): Plot {
  return {
    kind: 'plot',
    title: `${slice.title}: ${unit}`,
    x: { label: slice.axis, names: slice.labels },
    y: { label: unit },
    series: slice.contenders.map((name, i) => ({
      name,
      points: (slice.keys[i] ?? []).flatMap((key, x) => {
        const run = runs[key]
        if (run === undefined) return []
        const { low, high } = extremes(ratesOf(run.rounds))
        // All three in the same way: rounded in another, the only sample would be outside of its own spread.
        const of = (mpps: number) => value(mpps, run.frameBytes)
        return { x, y: of(run.mpps), low: of(low), high: of(high) }
      }),
    })),
  }
}

function tableOf(slice: SliceResult, { runs }: SlicesResult): Table {
  const rows = slice.labels.flatMap((label, place) =>
    slice.contenders.flatMap((name, i) => {
      const run = runs[slice.keys[i]?.[place] ?? '']
      return run === undefined ? [] : [[`${label} ${name}`, ...cells(run)]]
    }),
  )
  return { kind: 'table', title: `${slice.title} (${slice.axis})`, rows: [HEAD, ...rows] }
}

function cells(run: SliceRun): string[] {
  const { mpps, gbps, cyclesPerPacket, busy, generatorBusy, lost } = run
  const { low, high } = extremes(ratesOf(run.rounds))
  return [
    mpps.toFixed(2),
    `${low.toFixed(2)}-${high.toFixed(2)}`,
    gbps.toFixed(2),
    cyclesPerPacket.toFixed(1),
    `${(100 * busy).toFixed(0)} %`,
    `${(100 * generatorBusy).toFixed(0)} %`,
    lost.toFixed(0),
  ]
}
