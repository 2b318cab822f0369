import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SwitchSetup } from '../reconnect/contender.js'
import { betweenGuests } from './between-guests.js'
import type { StartContender } from './contender.js'
import { type Phases, phasesOf, readMarks } from './phases.js'

/** Each frame tells a time to a tenth of a millisecond, and no switch is burdened by so few. */
const RATE = 10_000
const LOOK_MS = 10
const PATIENCE_MS = 20_000

/** One start of a switch, in milliseconds from the start of its process. */
export interface StartSample {
  /** Both guests have seen their links go up. */
  readonly readyMs: number
  /** The first frame of one guest has come to the other. */
  readonly firstFrameMs: number
  readonly phases?: Phases
}

/**
 * Starts the switch between two guests that listen and send already.
 *
 * @throws the signal's reason when it is aborted
 */
export function sampleStart(
  contender: StartContender,
  shared: Pick<SwitchSetup, 'cpus' | 'memory'>,
  signal: AbortSignal,
): Promise<StartSample> {
  return betweenGuests(contender, shared, signal, async ({ sender, receiver, folder, start }) => {
    const sending = await sender.startSending({ to: receiver, rate: RATE })

    const spawnedAt = performance.timeOrigin + performance.now()
    await using running = start()
    const deadline = performance.now() + PATIENCE_MS
    let firstAt: number | undefined
    while (firstAt === undefined) {
      if (performance.now() > deadline) {
        throw new Error(`no frame within ${PATIENCE_MS / 1000} s; it said last:\n${running.output}`)
      }
      await Promise.race([sleep(LOOK_MS, undefined, { signal }), running.failed])
      firstAt = (await receiver.receivedOf(sending)).firstAt
    }
    const readyAt = Math.max(sender.link.since, receiver.link.since)
    const times = { readyMs: readyAt - spawnedAt, firstFrameMs: firstAt - spawnedAt }
    if (contender.marks === undefined) return times
    const marks = readMarks(join(folder, contender.marks))
    return { ...times, phases: phasesOf(marks, spawnedAt, readyAt, firstAt) }
  })
}
