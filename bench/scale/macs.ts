import type { Context, Effort, Exhibit, Figure, Section } from '../section.js'
import { Turns } from '../twice.js'
import { type MacsMeasured, measureCase } from './case.js'
import { perDoubling } from './fit.js'

const MILLION = 1_048_576

const ADDRESSES: Readonly<Record<Effort, readonly number[]>> = {
  quick: [16, 1024, 65_536, MILLION],
  usual: [16, 256, 1024, 8192, 65_536, 262_144, MILLION],
  full: [16, 64, 256, 1024, 4096, 8192, 16_384, 65_536, 131_072, 262_144, 524_288, MILLION],
}
const MILLISECONDS: Readonly<Record<Effort, number>> = { quick: 300, usual: 600, full: 1000 }

interface MacsRow extends MacsMeasured {
  readonly addresses: number
  readonly limit: number
}

export interface MacsResult {
  /** Tables that hold all addresses. */
  readonly fits: readonly MacsRow[]
  /** Tables that hold half of the addresses, so that every source has to be learnt in place of another. */
  readonly overflows: readonly MacsRow[]
}

/** What a frame costs a learning switch that knows that many addresses. */
export const macs: Section<MacsResult> = {
  name: 'macs',
  title: 'A frame of a learning switch, against the addresses that it knows',
  seconds: (effort) =>
    (ADDRESSES[effort].length + 2) * Math.round(1.5 + (2 * MILLISECONDS[effort]) / 1000),
  measure,
  show,
  figures,
}

async function measure(context: Context): Promise<MacsResult> {
  const { effort, smoke, cpus, signal, progress } = context
  const cases = [
    ...(smoke ? [16, 256] : ADDRESSES[effort]).map((addresses) => ({
      addresses,
      limit: addresses,
    })),
    ...(smoke ? [64] : [8192, MILLION]).map((limit) => ({ addresses: 2 * limit, limit })),
  ]
  const milliseconds = smoke ? 10 : MILLISECONDS[effort]
  const attempts = new Turns(context)
  const rows: MacsRow[] = []
  const result = () => ({
    fits: rows.filter(({ addresses, limit }) => addresses <= limit),
    overflows: rows.filter(({ addresses, limit }) => addresses > limit),
  })
  for (const [i, one] of cases.entries()) {
    progress(`${one.addresses} addresses, table of ${one.limit}`, i / cases.length)
    const take = () => measureCase({ kind: 'macs', ...one, milliseconds }, cpus.switch, signal)
    const measured = await attempts.take(`${one.addresses} addresses in ${one.limit}`, take)
    if (measured !== undefined) rows.push({ ...one, ...measured })
    context.keep?.(result())
  }
  return result()
}

function show({ fits, overflows }: MacsResult): Exhibit[] {
  const points = fits.map(({ addresses, nanosecondsPerFrame }) => {
    return { x: addresses, y: nanosecondsPerFrame }
  })
  return [
    {
      kind: 'plot',
      title: 'Learning switch: a frame, against the addresses in the table',
      x: { label: 'addresses', scale: 'log' },
      y: { label: 'nanoseconds a frame' },
      series: [{ name: 'learningSwitch', points }],
    },
    {
      kind: 'table',
      title:
        'Learning switch: addresses met in random order, table of its default limit 8,192 or larger',
      rows: [
        ['addresses', 'table holds', 'ns a frame', 'table, MiB'],
        ...[...fits, ...overflows].map(({ addresses, limit, nanosecondsPerFrame, tableBytes }) => [
          addresses.toLocaleString('en'),
          limit.toLocaleString('en'),
          nanosecondsPerFrame.toFixed(1),
          (tableBytes / 2 ** 20).toFixed(1),
        ]),
      ],
    },
    {
      kind: 'note',
      text:
        `A frame takes ${perDoubling(points).toFixed(1)} ns more each time that the addresses double (least squares ` +
        'against log2 of their number). Where the table holds half of the addresses, every frame has a new one learnt ' +
        'and an old one forgotten.',
    },
  ]
}

function figures({ fits, overflows }: MacsResult): Figure[] {
  const points = fits.map(({ addresses: x, nanosecondsPerFrame: y }) => ({ x, y }))
  return [
    ...[...fits, ...overflows].map(({ addresses, limit, nanosecondsPerFrame: value }): Figure => {
      return { key: `${addresses} in ${limit}`, value, unit: 'ns/frame', better: 'less' }
    }),
    { key: 'per doubling', value: perDoubling(points), unit: 'ns/frame', better: 'less' },
  ]
}
