import { statSync } from 'node:fs'
import { join } from 'node:path'
import { withFolder } from '../sockets.js'
import type { Contender, SwitchSetup } from './contender.js'
import { Scene } from './scene.js'

/** Traffic before each interruption and after it. */
const AROUND_MS = 300

/** librte_vhost looks for sockets once so often. Interruptions are spread over that time. */
const LOOP_MS = 1000

/** What one turn of a switch came to. */
export interface Sample {
  /** The switch killed and started again: the longest time without a frame. */
  readonly switchGapMs: number
  /** Frames that were not sent or not received because of it. */
  readonly switchMissing: number
  /** The receiving guest killed and started again: from the kill to its first frame. */
  readonly guestGapMs: number
  /** Of that, from the moment when it listens. The rest is the guest's own start. */
  readonly reconnectMs: number
}

export function takeSample(
  contender: Contender,
  shared: Pick<SwitchSetup, 'cpus' | 'memory'>,
  rate: number,
  round: number,
  signal: AbortSignal,
): Promise<Sample> {
  return withFolder(async (folder) => {
    const sockets = [join(folder, 'a'), join(folder, 'b')] as const
    await using scene = await Scene.start(contender, { ...shared, folder, sockets }, rate, signal)
    return {
      ...(await interruptSwitch(scene)),
      ...(await interruptGuest(scene, sockets[1], round)),
    }
  })
}

async function interruptSwitch(
  scene: Scene,
): Promise<Pick<Sample, 'switchGapMs' | 'switchMissing'>> {
  await scene.pause(AROUND_MS)
  await scene.forget()
  await scene.pause(AROUND_MS)
  await scene.restartSwitch()
  const { frames } = await scene.received()
  await scene.framesAfter(frames)
  await scene.pause(AROUND_MS)
  const { longestGap, missing } = await scene.received()
  if (longestGap === undefined) throw new Error('the restart of the switch was not felt at all')
  return { switchGapMs: longestGap.ms, switchMissing: missing }
}

async function interruptGuest(
  scene: Scene,
  socket: string,
  round: number,
): Promise<Pick<Sample, 'guestGapMs' | 'reconnectMs'>> {
  await scene.pause(moment(round) * LOOP_MS)
  const killedAt = Date.now()
  await scene.restartReceiver()
  const { birthtimeMs, ctimeMs } = statSync(socket)
  // The kernel's own record: whoever reports it may be late, and the switch is not to gain by that.
  const listenedAt = birthtimeMs || ctimeMs
  const { firstAt = Number.NaN } = await scene.framesAfter(0)
  return { guestGapMs: firstAt - killedAt, reconnectMs: firstAt - listenedAt }
}

/** Shares of the loop that are spread evenly, however many rounds there are. */
export function moment(round: number): number {
  return (round * 0.618_033_988_75) % 1
}
