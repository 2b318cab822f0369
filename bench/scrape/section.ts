import { setTimeout as sleep } from 'node:timers/promises'
import { validateLaunchOptions } from '../../src/config/index.js'
import { number } from '../arguments.js'
import { figureOf } from '../figure.js'
import type { Asked, Context, Figure, Section } from '../section.js'
import { quantile } from '../statistics.js'
import { latencyOf } from '../tester/latency.js'
import { type Scene, withScene } from '../tester/scene.js'
import { unlessAborted } from '../unless-aborted.js'
import type { Scrape, ScrapeResult, ScrapeSlice } from './result.js'
import { Scraper } from './scraper.js'
import { counting, ratios, show } from './show.js'
import { ScrapedSwitch } from './switch.js'

const PRESETS = {
  smoke: { ports: 8, scrapes: 3, turns: 2, seconds: 0.2 },
  quick: { ports: 256, scrapes: 40, turns: 4, seconds: 0.5 },
  usual: { ports: 256, scrapes: 60, turns: 10, seconds: 0.5 },
  full: { ports: 256, scrapes: 60, turns: 4, seconds: 0.4 },
}

/** Prometheus comes once in 15 seconds. */
const SCRAPES_PER_SECOND = 10
/** Code is compiled meanwhile, and the switch settles. */
const WARM_UP_SCRAPES = 20
/** Frames a second, both directions together: far below what the switch can carry. */
const RATE = 1_000_000

/** Of the start of 256 guests and their end; and of what is around a slice. */
const START_SECONDS = 6
const AROUND_SECONDS = 0.15

/** Frames are in the rings by then, or gone. */
const LINGER_MS = 50

/** How long a scrape of many ports with guests takes, and what an lcore beside it notices. */
export const scrapeSection: Section<ScrapeResult> = {
  name: 'scrape',
  title: 'How long a scrape of many ports takes, and what an lcore beside it notices',
  options: [
    {
      name: 'ports',
      value: 'N',
      what: `ports, all with guests, 2 to 1000 (default: ${PRESETS.usual.ports})`,
    },
    {
      name: 'scrapes',
      value: 'N',
      what: `scrapes without frames (default: ${PRESETS.usual.scrapes})`,
    },
    {
      name: 'turns',
      value: 'N',
      what: `slices with and without scrapes (default: ${PRESETS.usual.turns})`,
    },
  ],
  seconds: (effort, asked) => {
    const { scrapes, turns, seconds } = optionsOf(asked ?? { effort })
    const scraping = (WARM_UP_SCRAPES + scrapes) / SCRAPES_PER_SECOND
    return Math.ceil(START_SECONDS + scraping + 2 * turns * 2 * (seconds + AROUND_SECONDS))
  },
  check: (asked) => void optionsOf(asked),
  measure,
  show,
  figures,
}

function optionsOf({ smoke, effort, options: values = {} }: Asked) {
  const preset = PRESETS[smoke ? 'smoke' : effort]
  return {
    seconds: preset.seconds,
    ports: number('--ports', values.ports, preset.ports, 2, 1000),
    scrapes: number('--scrapes', values.scrapes, preset.scrapes, 1, 10_000),
    turns: number('--turns', values.turns, preset.turns, 1, 10_000),
  }
}

const EVERY_MS = 1000 / SCRAPES_PER_SECOND

async function measure(context: Context): Promise<ScrapeResult> {
  const { ports, scrapes: wanted, turns: rounds, seconds } = optionsOf(context)
  const { cpus, memory, signal } = context
  const burst = validateLaunchOptions().burst
  const shared = { ring: 'split', frameBytes: 64, burst, cpus, memory } as const
  context.progress(`start of ${ports} guests`, 0)
  let folder = ''
  const start = (setup: ConstructorParameters<typeof ScrapedSwitch>[0]) => {
    folder = setup.folder
    return new ScrapedSwitch(setup, ports)
  }
  return await withScene(start, shared, signal, async (scene) => {
    const { running } = scene
    const told = { socket: running.socket, pid: running.pid, cpu: cpus.generator }
    await using scraper = new Scraper(told, folder)
    const guard = <T>(work: Promise<T>) =>
      unlessAborted(Promise.race([work, scraper.failed, running.failed]), signal)
    await guard(scraper.started())
    const guests = await running.ready()
    context.progress('scrapes without frames', 0.2)
    const warming = await guard(scraper.take(WARM_UP_SCRAPES, EVERY_MS))
    const scrapes = await guard(scraper.take(wanted, EVERY_MS))
    const turns: ScrapeResult['turns'][number][] = []
    const result = (): ScrapeResult => ({
      ports,
      guests,
      framesPerSecond: RATE,
      seconds,
      scrapesPerSecond: SCRAPES_PER_SECOND,
      scrapes,
      first: (warming[0] as Scrape).took,
      turns,
    })
    context.keep?.(result())
    for (let turn = 0; turn < rounds; turn++) {
      context.progress(`turn ${turn + 1}`, 0.5 + (0.5 * turn) / rounds)
      const without = await guard(slice(scene, undefined, seconds))
      turns.push({ without, with: await guard(slice(scene, scraper, seconds)) })
      context.keep?.(result())
    }
    return result()
  })
}

/**
 * A slice with frames, and one without, in which every look at the queues takes the same time.
 *
 * @param scraper - who scrapes meanwhile
 */
async function slice(
  { running, trial }: Scene<ScrapedSwitch>,
  scraper: Scraper | undefined,
  seconds: number,
): Promise<ScrapeSlice> {
  const milliseconds = seconds * 1000
  const offer = { framesPerSecond: RATE, milliseconds, lingerMs: LINGER_MS }
  const frames = await during(running, scraper, () => trial(offer))
  const idle = await during(running, scraper, () => sleep(milliseconds))
  const latency = latencyOf(frames.result)
  if (latency === undefined) throw new Error('no frames went through vswitch')
  const { p50, p99, p999 } = latency
  const { lossRatio, unjudged, received, switchWaitedMs } = frames.result
  return {
    p50,
    p99,
    p999,
    lossRatio,
    unjudged: unjudged / received,
    switchWaitedMs,
    pollsPerSecond: idle.polls / idle.seconds,
    cyclesPerFrame: frames.busyCycles / frames.frames,
    scrapes: frames.scrapes + idle.scrapes,
  }
}

/** What the lcore did while something was done, and somebody scraped or not. */
async function during<T>(
  running: ScrapedSwitch,
  scraper: Scraper | undefined,
  work: () => Promise<T>,
) {
  const before = await running.lcore()
  const begun = performance.now()
  scraper?.begin(EVERY_MS)
  const result = await work()
  const scrapes = (await scraper?.end())?.length ?? 0
  const after = await running.lcore()
  return {
    result,
    scrapes,
    seconds: (performance.now() - begun) / 1000,
    polls: after.polls - before.polls,
    frames: after.frames - before.frames,
    busyCycles: after.busyCycles - before.busyCycles,
  }
}

function figures(result: ScrapeResult): Figure[] {
  const { scrapes } = result
  const turns = counting(result)
  const took = scrapes.map((scrape) => scrape.took)
  const ran = scrapes.map((scrape) => scrape.ran)
  return [
    figureOf('took', took, 'ms', 'less'),
    figureOf('cpu time', ran, 'ms', 'less'),
    { key: 'took p95', value: quantile(took, 0.95), unit: 'ms', better: 'less' },
    ...(['p50', 'p99', 'p999'] as const).flatMap((key) =>
      (['without', 'with'] as const).map((which) =>
        figureOf(
          `${which} scrapes ${key}`,
          turns.map((turn) => turn[which][key]),
          'µs',
          'less',
        ),
      ),
    ),
    ...(turns.length === 0
      ? []
      : [figureOf('polls with to without', ratios(result, 'pollsPerSecond'), 'times', 'more')]),
  ]
}
