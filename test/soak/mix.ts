import { setTimeout as sleep } from 'node:timers/promises'
import type { Sending } from '../../src/testkit/index.js'
import type { Random } from '../headers/random.js'
import { DISTURBANCES } from './disturbances.js'
import { type Footprint, footprintOf, growth, least } from './footprint.js'
import { dropped, mistakes, type Page, streamMistakes } from './ledger.js'
import type { Say } from './main.js'
import type { Stage } from './stage.js'

/** Kinds of disturbances in a round: few, so that what went together can be told. */
const KINDS = 4
/** Rounds until heaps are as large as they are to be. */
const WARM = 12
const PAUSE_MS = 300

/** What was counted. */
export interface MixReport {
  readonly rounds: number
  /** How often each happened. */
  readonly disturbances: Readonly<Record<string, number>>
  /** Frames that the steady guests sent. */
  readonly frames: number
  /** Frames that the switch dropped, by its own account. */
  readonly dropped: number
  readonly footprints: readonly Footprint[]
}

/**
 * Rounds of full load with one disturbance after another, in an order left to chance. After each the books are
 * balanced; after all, the switch is to be as large as it was when it was warm.
 *
 * @throws Error naming what does not add up, and what happened before
 */
export async function mix(
  stage: Stage,
  random: Random,
  { ms, roundMs }: { ms: number; roundMs: number },
  say: Say,
): Promise<MixReport> {
  const count = Object.fromEntries(Object.keys(DISTURBANCES).map((what) => [what, 0]))
  const footprints: Footprint[] = []
  let rounds = 0
  let frames = 0
  let lost = 0
  for (const end = performance.now() + ms; performance.now() < end || rounds < 2; rounds++) {
    await stage.linksUp()
    await stage.pingAll()
    const before = await stage.page()
    const streams = await startStreams(stage)
    const happened: string[] = []
    const kinds = Array.from({ length: KINDS }, () => random.pick(Object.keys(DISTURBANCES)))
    for (const over = performance.now() + roundMs; performance.now() < over; ) {
      const what = random.pick(kinds)
      happened.push(what)
      await DISTURBANCES[what]?.(stage, random).catch((error: Error) => {
        throw new Error(`${stage.vswitch.log}\n${happened.join(', ')}: ${error.message}`)
      })
      stage.vswitch.check()
      count[what] = (count[what] ?? 0) + 1
      await sleep(random.between(0, PAUSE_MS))
    }
    await stage.linksUp()
    const { sent, wrong, after } = await settle(stage, streams, before)
    if (wrong.length > 0) {
      const story = `in round ${rounds} happened: ${happened.join(', ')}`
      throw new Error(`${stage.vswitch.log}\n${story}\n${wrong.join('\n')}`)
    }
    frames += sent
    lost += dropped(before, after)
    footprints.push(await footprintOf(stage.vswitch.pid, stage.client))
    say(
      `round ${rounds}: ${sent} frames, ${[...new Set(happened)].join(', ')}, ${JSON.stringify(footprints.at(-1))}`,
    )
  }
  const third = Math.ceil(footprints.length / 3)
  const [first, last] = [footprints.slice(0, third), footprints.slice(-third)]
  const grown = growth(least(first), least(last), rounds >= WARM)
  if (grown.length > 0) throw new Error(`the switch grew: ${grown.join('; ')}`)
  return { rounds, disturbances: count, frames, dropped: lost, footprints }
}

interface Streams {
  readonly there: Sending
  readonly back: Sending
  readonly others: readonly Sending[]
}

/** Full load between the steady guests; the doomed ones send to them and to one another. */
async function startStreams({ steady: [a, b], doomed: [c, d] }: Stage): Promise<Streams> {
  const there = await a.host.startSending({ to: b.host, size: 'imix', flows: 16, rate: 'max' })
  const back = await b.host.startSending({ to: a.host, rate: 5000, size: [64, 1514] })
  const others = [
    await c.host.startSending({ to: [b.host, d.host], rate: 'max', size: 'imix' }),
    await d.host.startSending({ to: 'broadcast', rate: 200 }),
  ]
  return { there, back, others }
}

async function settle(stage: Stage, { there, back, others }: Streams, before: Page) {
  const [a, b] = stage.steady
  // A sender may have died.
  await Promise.all(others.map((sending) => sending.stop().catch(() => {})))
  const sent = await Promise.all([there.stop(), back.stop()])
  const [arrived, returned] = [await b.host.delivery(sent[0]), await a.host.delivery(sent[1])]
  const after = await stage.page()
  await Promise.all(stage.guests.map(({ host }) => host.forget()))
  const explained = dropped(before, after)
  return {
    sent: sent[0].frames + sent[1].frames,
    after,
    wrong: [
      ...mistakes(before, after),
      ...streamMistakes('a to b', arrived, explained),
      ...streamMistakes('b to a', returned, explained),
    ],
  }
}
