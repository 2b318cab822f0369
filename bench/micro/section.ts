import { Channel } from '../own/channel.js'
import type { Context, Effort, Exhibit, Figure, Section } from '../section.js'
import { withFolder } from '../sockets.js'
import { twice } from '../twice.js'
import { unlessAborted } from '../unless-aborted.js'
import type { MicroStart, Timing } from './operation.js'

const MILLISECONDS: Readonly<Record<Effort, number>> = { quick: 100, usual: 500, full: 1500 }

/** Of all operations together, those around them included. */
const OPERATIONS = 26
/** What preparing them takes. */
const AROUND_SECONDS = 5

const PATIENCE_MS = 600_000

export interface MicroResult {
  readonly timings: readonly Timing[]
}

/** What single operations of a switch take, by themselves. */
export const microSection: Section<MicroResult> = {
  name: 'micro',
  title: 'Single operations',
  seconds: (effort) =>
    Math.round(AROUND_SECONDS + (1.4 * OPERATIONS * MILLISECONDS[effort]) / 1000),
  measure,
  show,
  figures,
}

function measure(context: Context): Promise<MicroResult> {
  return twice(() => timingsOf(context), context)
}

function timingsOf({ effort, smoke, cpus, signal, progress }: Context): Promise<MicroResult> {
  return withFolder(async (folder) => {
    signal.throwIfAborted()
    progress('single operations', 0)
    const milliseconds = smoke ? 2 : MILLISECONDS[effort]
    const start: MicroStart = { cpu: cpus.switch, milliseconds }
    const script = new URL('./main.js', import.meta.url)
    type Reply = { kind: 'timings'; timings: Timing[] }
    await using channel = new Channel<never, Reply>('micro', script, start, folder)
    const { timings } = await unlessAborted(channel.reply('timings', PATIENCE_MS), signal)
    return { timings }
  })
}

function show({ timings }: MicroResult): Exhibit[] {
  const groups = [...new Set(timings.map(({ group }) => group))]
  return groups.map((group) => ({
    kind: 'table',
    title: group,
    rows: [
      ['operation', 'ns', 'quartiles'],
      ...timings
        .filter((timing) => timing.group === group)
        .map(({ name, ns, low, high }) => [
          name,
          ns.toFixed(1),
          `${low.toFixed(1)}-${high.toFixed(1)}`,
        ]),
    ],
  }))
}

function figures({ timings }: MicroResult): Figure[] {
  return timings.map(({ group, name, ns: value, low, high }) => {
    return { key: `${group}: ${name}`, value, low, high, unit: 'ns', better: 'less' }
  })
}
