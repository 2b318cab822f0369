import { counted } from '../../src/switch/counted.js'
import type { Report } from '../json-report.js'
import type { JsonRun, RatesResult } from '../rates/result.js'
import { caveatsOf } from '../verdict.js'
import { tableOf } from './markdown.js'

/** Of the size that README shows. */
const FRAME_BYTES = 64

/** What the others are compared with. */
const REFERENCE = 'testpmd-io'

/** Rows of the first table. */
const ROWS: Readonly<Record<string, string>> = {
  'testpmd-io': "DPDK's, in C",
  'native-io': 'a loop in our addon, in C++',
  'ts-io': 'a cross-connect in TypeScript',
  'ts-learning': 'a learning switch in TypeScript',
}

/** Rows of the second table: tasks that OVS-DPDK was given too. */
const TASKS: Readonly<Record<string, string>> = {
  'ts-learning/ovs-normal': 'learning switch in TypeScript against `NORMAL`',
  'vswitch-normal/ovs-normal': '`vswitch run`, a bridge against `NORMAL`',
  'vswitch-flow2/ovs-flow2': '`vswitch run`, two flows against the same two',
  'vswitch-flow1000/ovs-flow1000': '`vswitch run`, 1,000 exact flows on 10,000 5-tuples',
}

/** The tables of README.md, with what they were measured on. */
export function readmeTables(report: Report & RatesResult, details: string): string {
  const { machine, settings } = report
  const hugepages = machine.memory === 'hugepages' ? 'hugepages' : 'no hugepages'
  const cpus = `${machine.cpus} ${machine.virtual ? 'virtual CPUs' : 'CPUs'} of ${machine.cpu}`
  const { versions } = machine
  const about =
    `\`${machine.command.replace(/ --(json|html) \S+/g, '')}\`, medians of ${counted(settings.rounds, 'interleaved round')}; ${cpus}, ` +
    `Linux ${machine.kernel.split('-')[0]}, ${versions.dpdk}, Node.js ${versions.node}` +
    `${versions.ovs === undefined ? '' : `, OVS ${versions.ovs}`}, ${hugepages} ([everything measured](${details})):`
  const rings = (['split', 'packed'] as const).filter((ring) => runOf(report, REFERENCE, ring))
  const rates = Object.entries(ROWS).flatMap(([name, what]) => {
    const cells = rings.flatMap((ring) => rateCells(report, name, ring))
    return cells.every((cell) => cell === '') ? [] : [[`\`${name}\`: ${what}`, ...cells]]
  })
  const head = rings.flatMap((ring) => [
    `${ring} ring: Mpps`,
    'cycles a frame',
    'against `testpmd`',
  ])
  const tasks = Object.entries(TASKS).flatMap(([pair, what]) => {
    const cells = rings.map((ring) => ratioCell(report, `${pair}@${ring}@${FRAME_BYTES}`))
    return cells.every((cell) => cell === '') ? [] : [[what, ...cells]]
  })
  const parts = [about, tableOf([['switch', ...head], ...rates])]
  if (tasks.length > 0) {
    const headings = ['against OVS-DPDK with its defaults: times as many frames']
    parts.push(tableOf([[...headings, ...rings.map((ring) => `${ring} ring`)], ...tasks]))
  }
  const caveats = caveatsOf(report)
  if (caveats.length > 0) parts.push(`What to know of this run: ${caveats.join('; ')}.`)
  return `\n${parts.join('\n\n')}\n`
}

function runOf({ runs }: RatesResult, name: string, ring: string): JsonRun | undefined {
  return runs.find(
    (run) => run.name === name && run.ring === ring && run.frameBytes === FRAME_BYTES,
  )
}

function rateCells(report: RatesResult, name: string, ring: string): string[] {
  const run = runOf(report, name, ring)
  if (run === undefined) return ['', '', '']
  const ratio = report.ratios[`${name}/${REFERENCE}@${ring}@${FRAME_BYTES}`]
  const against = name === REFERENCE ? '1' : (ratio?.toFixed(2) ?? '')
  return [run.mpps.toFixed(1), run.cyclesPerPacket.toFixed(0), against]
}

/** The median, and the extremes of the rounds. */
function ratioCell({ ratios, ratioRounds }: RatesResult, key: string): string {
  const ratio = ratios[key]
  const rounds = ratioRounds[key] ?? []
  if (ratio === undefined) return ''
  return `${ratio.toFixed(2)} (${Math.min(...rounds).toFixed(2)} to ${Math.max(...rounds).toFixed(2)})`
}
