import { Generator } from '../generator.js'
import { Channel } from '../own/channel.js'
import type { Context, Effort, Exhibit, Figure, Section } from '../section.js'
import { START_MS } from '../setup.js'
import { withSockets } from '../sockets.js'
import { extremes, median } from '../statistics.js'
import { Turns } from '../twice.js'
import { unlessAborted } from '../unless-aborted.js'
import type {
  UpdatesReply,
  UpdatesRequest,
  UpdatesSlice,
  UpdatesStart,
} from './updates-messages.js'

const RULES: Readonly<Record<Effort, readonly number[]>> = {
  quick: [1000],
  usual: [1000, 10_000],
  full: [10, 1000, 10_000, 100_000],
}
const PAIRS: Readonly<Record<Effort, number>> = { quick: 3, usual: 7, full: 11 }
const SLICE_MS = 300
const WARM_UP_MS = 1000

export interface UpdatesRun {
  readonly rules: number
  /** Slices without and with updates, which follow each other. */
  readonly pairs: readonly { readonly without: UpdatesSlice; readonly with: UpdatesSlice }[]
  /** Another set of as many rules in place of all of them, once. */
  readonly replace: UpdatesSlice
}

export interface UpdatesResult {
  readonly runs: readonly UpdatesRun[]
}

/** How many rules a second come and go, and what the lcore feels of it while it forwards. */
export const updates: Section<UpdatesResult> = {
  name: 'updates',
  title: 'Rules that come and go under load',
  seconds: (effort) =>
    Math.round(RULES[effort].length * (5 + (PAIRS[effort] * 2 * SLICE_MS) / 1000)),
  measure,
  show,
  figures,
}

async function measure(context: Context): Promise<UpdatesResult> {
  const counts = context.smoke ? [10] : RULES[context.effort]
  const attempts = new Turns(context)
  const runs: UpdatesRun[] = []
  for (const [i, rules] of counts.entries()) {
    context.progress(`updates among ${rules} rules`, i / counts.length)
    const run = await attempts.take(`updates among ${rules} rules`, () =>
      measureRun(rules, context),
    )
    if (run !== undefined) runs.push(run)
    context.keep?.({ runs })
  }
  return { runs }
}

function measureRun(rules: number, context: Context): Promise<UpdatesRun> {
  const { cpus, memory, signal, smoke, effort } = context
  const shared = { ring: 'split', frameBytes: 64, burst: 32, cpus, memory } as const
  return withSockets(shared, async (setup) => {
    await using generator = new Generator(setup)
    const start: UpdatesStart = {
      sockets: setup.sockets,
      cpu: cpus.switch,
      memory: memory.kind,
      memoryMiB: memory.mib,
      rules,
    }
    const script = new URL('./updates-main.js', import.meta.url)
    await using own = new Channel<UpdatesRequest, UpdatesReply>(
      'updates',
      script,
      start,
      setup.folder,
    )
    const slice = async (what: UpdatesRequest['what'], milliseconds: number) =>
      (await own.ask({ what, milliseconds }, 'slice', START_MS + milliseconds)).slice
    const work = async () => {
      await Promise.all([generator.started(), own.reply('started', START_MS)])
      await generator.begin()
      const warmUpMs = smoke ? 100 : WARM_UP_MS
      await slice('nothing', warmUpMs)
      // The ways of updates have to become warm too.
      await slice('updates', warmUpMs)
      const pairs: UpdatesRun['pairs'][number][] = []
      for (let left = smoke ? 1 : PAIRS[effort]; left > 0; left--) {
        signal.throwIfAborted()
        const without = await slice('nothing', SLICE_MS)
        pairs.push({ without, with: await slice('updates', SLICE_MS) })
      }
      return { rules, pairs, replace: await slice('replace', 0) }
    }
    return await unlessAborted(Promise.race([work(), generator.failed]), signal)
  })
}

/** What the updates cost: the ratio of the cycles of a frame, and the longest time without a poll. */
function summary({ rules, pairs, replace }: UpdatesRun) {
  const updates = pairs.map((pair) => pair.with)
  const cost = pairs.map((pair) => pair.with.cyclesPerFrame / pair.without.cyclesPerFrame)
  return {
    rules,
    perSecond: updates.map((slice) => (1000 * slice.updates) / slice.milliseconds),
    cost,
    // What of the lcore's time went into them.
    lcoreMicroseconds: pairs.map(
      ({ without, with: slice }) =>
        ((1 - without.cyclesPerFrame / slice.cyclesPerFrame) * slice.milliseconds * 1000) /
        slice.updates,
    ),
    longestMs: median(updates.map(({ longestPauseMs }) => longestPauseMs)),
    quietMs: median(pairs.map(({ without }) => without.longestPauseMs)),
    replaceMs: replace.longestPauseMs,
    replaceTakesMs: replace.milliseconds,
  }
}

function show({ runs }: UpdatesResult): Exhibit[] {
  return [
    {
      kind: 'table',
      title: 'Flow table under load: one rule added or deleted after the other, each waited for',
      rows: [
        [
          'rules',
          'updates a second',
          'cycles a frame, times',
          'lcore, µs an update',
          'longest pause, ms',
          'without updates, ms',
          'all replaced: pause, ms',
          'takes, ms',
        ],
        ...runs
          .map(summary)
          .map((run) => [
            run.rules.toLocaleString('en'),
            median(run.perSecond).toFixed(0),
            median(run.cost).toFixed(2),
            median(run.lcoreMicroseconds).toFixed(0),
            run.longestMs.toFixed(2),
            run.quietMs.toFixed(2),
            run.replaceMs.toFixed(1),
            run.replaceTakesMs.toFixed(0),
          ]),
      ],
    },
    {
      kind: 'note',
      text:
        'A pause is the time between two bursts that the lcore takes, in a slice of ' +
        `${SLICE_MS} ms, the median over slices. The thread that updates has no CPU of its own on a machine of two.`,
    },
  ]
}

function figures({ runs }: UpdatesResult): Figure[] {
  return runs.map(summary).flatMap((run): Figure[] => [
    {
      key: `${run.rules} rules, rate`,
      value: median(run.perSecond),
      unit: 'updates/s',
      ...extremes(run.perSecond),
      better: 'more',
    },
    {
      key: `${run.rules} rules, cost`,
      value: median(run.cost),
      unit: 'times',
      ...extremes(run.cost),
      better: 'less',
    },
    {
      key: `${run.rules} rules, lcore`,
      value: median(run.lcoreMicroseconds),
      unit: 'µs/update',
      ...extremes(run.lcoreMicroseconds),
      better: 'less',
    },
    { key: `${run.rules} rules, pause`, value: run.longestMs, unit: 'ms', better: 'less' },
    { key: `${run.rules} rules, replace pause`, value: run.replaceMs, unit: 'ms', better: 'less' },
  ])
}
