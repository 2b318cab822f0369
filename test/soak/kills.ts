import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { memoryOf } from '../../bench/footprint/proc.js'
import type { Random } from '../headers/random.js'
import type { Say } from './main.js'
import type { Stage } from './stage.js'

const SAY_EVERY = 20
/** Kills until heaps of guests are as large as they are to be. */
const WARM = 5
/** A guest's heap breathes. */
const BREATH_BYTES = 32 * 2 ** 20

/**
 * The switch is killed in the middle of traffic and started again; the guests run on.
 *
 * @throws Error when a guest was not served again or had to be started again, or when something is left behind
 */
export async function kills(
  stage: Stage,
  count: number,
  random: Random,
  say: Say,
): Promise<object> {
  const pids = stage.guests.map(({ host }) => host.pid)
  const generations = stage.guests.map(({ host }) => host.link.generation)
  const [a, b] = stage.steady
  const sending = await a.host.startSending({ to: b.host, rate: 5000, size: [64, 1514] })
  let before = look(stage)
  for (let kill = 1; kill <= count; kill++) {
    await sleep(random.between(0, 100))
    await stage.vswitch.kill()
    await Promise.all(stage.guests.map(({ host }) => host.linkDown()))
    await stage.vswitch.start()
    await stage.linksUp()
    await stage.pingAll()
    if (kill === WARM) before = look(stage)
    if (kill % SAY_EVERY === 0) say(`${kill} of ${count} kills`)
  }
  const sent = await sending.stop()
  const { frames, duplicated, corrupted } = await b.host.delivery(sent)
  const after = look(stage)
  const wrong = [
    ...stage.guests.flatMap(({ name, host }, i) => [
      ...(host.pid === pids[i] ? [] : [`${name} is another process`]),
      ...(host.link.generation === (generations[i] as number) + count
        ? []
        : [`${name} saw ${host.link.generation - (generations[i] as number)} switches`]),
    ]),
    ...(duplicated + corrupted > 0 ? [`${duplicated} duplicated, ${corrupted} corrupted`] : []),
    ...(count > WARM && after.bytes > before.bytes + BREATH_BYTES
      ? [`guests grew from ${before.bytes} to ${after.bytes} bytes`]
      : []),
    ...after.files.filter((file) => !before.files.includes(file)).map((file) => `${file} is left`),
  ]
  if (wrong.length > 0) throw new Error(`${wrong.join('\n')}\n${stage.vswitch.log}`)
  return { kills: count, sent: sent.frames, received: frames, skipped: sent.skipped }
}

/** What a switch may leave behind, and what guests take. */
function look(stage: Stage) {
  const bytes = stage.guests.reduce(
    (sum, { host }) => sum + memoryOf(host.pid as number).anonymous,
    0,
  )
  const files = ['/dev/shm', '/var/run/dpdk'].flatMap((folder) => {
    try {
      return readdirSync(folder).map((name) => `${folder}/${name}`)
    } catch {
      return []
    }
  })
  return { bytes, files }
}
