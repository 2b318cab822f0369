import { counted } from '../../src/switch/counted.js'
import { number } from '../arguments.js'
import { Channel } from '../own/channel.js'
import type { Asked, Context, Exhibit, Figure, Section } from '../section.js'
import { START_MS } from '../setup.js'
import { withFolder } from '../sockets.js'
import { unlessAborted } from '../unless-aborted.js'
import type { QosCase, QosReply, QosRequest, QosRun, QosStart } from './messages.js'

const SECONDS = { smoke: 0.3, quick: 0.5, usual: 1, full: 2 }

/** What a rate takes besides the measured time. */
const AROUND_SECONDS = 0.8

/** Below that share of the rate nothing can be said: it would have passed without a policer, too. */
const ENOUGH = 1.02

const BITS = [1e6, 10e6, 100e6, 1e9, 10e9]
const FRAMES = [1e3, 10e3, 100e3, 1e6, 5e6]

const CASES: readonly QosCase[] = [
  ...[1, 2].flatMap((lcores): QosCase[] => [
    ...BITS.map((rate) => ({ name: 'policer', rate, unit: 'bit/s', lcores }) as const),
    ...FRAMES.map((rate) => ({ name: 'policer', rate, unit: 'frames/s', lcores }) as const),
  ]),
  ...BITS.map((rate) => ({ name: 'shaper', rate, unit: 'bit/s', lcores: 1 }) as const),
]

/** One of each kind. */
const SMOKE: readonly QosCase[] = [
  { name: 'policer', rate: 10e6, unit: 'bit/s', lcores: 1 },
  { name: 'policer', rate: 10e3, unit: 'frames/s', lcores: 2 },
  { name: 'shaper', rate: 10e6, unit: 'bit/s', lcores: 1 },
]

export interface QosResult {
  /** Measured time of each. */
  readonly seconds: number
  readonly runs: readonly QosRun[]
}

/** How exact policers and shapers are on real lcores. */
export const qosSection: Section<QosResult> = {
  name: 'qos',
  title: 'How exact policers and shapers are',
  options: [
    { name: 'seconds', value: 'N', what: `measured time of each rate (default: ${SECONDS.usual})` },
  ],
  seconds: (effort, asked) =>
    Math.ceil(2 + CASES.length * (secondsOf(asked ?? { effort }) + AROUND_SECONDS)),
  check: (asked) => void secondsOf(asked),
  measure,
  show,
  figures,
}

function secondsOf({ smoke, effort, options = {} }: Asked): number {
  return number('--seconds', options.seconds, SECONDS[smoke ? 'smoke' : effort], 0.1, 600, false)
}

function measure(context: Context): Promise<QosResult> {
  const { memory, smoke, signal } = context
  const seconds = secondsOf(context)
  const cases = smoke ? SMOKE : CASES
  return withFolder(async (folder) => {
    signal.throwIfAborted()
    const start: QosStart = { memory: memory.kind }
    const script = new URL('./main.js', import.meta.url)
    await using channel = new Channel<QosRequest, QosReply>('qos', script, start, folder)
    await unlessAborted(channel.reply('started', START_MS), signal)
    const runs: QosRun[] = []
    for (const [i, asked] of cases.entries()) {
      context.progress(`${asked.name} of ${nameOfRate(asked)}`, i / cases.length)
      const request: QosRequest = { kind: 'run', asked, seconds }
      const reply = channel.ask(request, 'run', (seconds + AROUND_SECONDS) * 1000)
      runs.push((await unlessAborted(reply, signal)).run)
      context.keep?.({ seconds, runs })
    }
    return { seconds, runs }
  })
}

function nameOfRate({ rate, unit, lcores }: QosCase): string {
  return `${rate.toLocaleString('en')} ${unit}, ${counted(lcores, 'lcore')}`
}

const percent = (share: number) => `${(share * 100).toFixed(3)} %`
const isEnough = ({ offered }: QosRun) => offered > ENOUGH

function show({ seconds, runs }: QosResult): Exhibit[] {
  return [
    {
      kind: 'table',
      title: `What passed in ${seconds} s, against the tokens of that time`,
      rows: [
        ['what', 'rate', 'bytes', 'frames', 'error', 'one frame', 'ring full'],
        ...runs.map((run) => [
          run.name,
          nameOfRate(run),
          String(run.frameBytes),
          run.real ? 'sent' : 'counted',
          isEnough(run) ? percent(run.error) : 'too slow to tell',
          percent(run.resolution),
          String(run.lost),
        ]),
      ],
    },
    {
      kind: 'note',
      text:
        'One frame: what a frame at either end makes of the error. Counted: policers alone decide, as no frames can be made ' +
        'that fast. Too slow to tell: this machine did not offer more than may pass.',
    },
  ]
}

/** How far from the rate, either way. */
function figures({ runs }: QosResult): Figure[] {
  return runs.filter(isEnough).map((run) => {
    const value = 100 * Math.abs(run.error)
    return { key: `${run.name} ${nameOfRate(run)}`, value, unit: '%', better: 'less' }
  })
}
