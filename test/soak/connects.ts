import { HostileGuest } from '../hostile/guest.js'
import { footprintOf, growth } from './footprint.js'
import type { Say } from './main.js'
import type { Stage } from './stage.js'

const SAY_EVERY = 100
/** Cycles until pools are filled. */
const WARM = 20

/**
 * A guest connects, exchanges frames with itself over two ports, and hangs up; again and again.
 *
 * @throws Error when it was not served, or when the switch has grown
 */
export async function connects(stage: Stage, cycles: number, say: Say): Promise<object> {
  const guest = new HostileGuest()
  let before = await footprintOf(stage.vswitch.pid, stage.client)
  for (let cycle = 1; cycle <= cycles; cycle++) {
    const { error } = await guest.run('sane', stage.path('e'), stage.path('f'), { frames: 50 })
    if (error !== undefined) throw new Error(`connection ${cycle}: ${error}\n${stage.vswitch.log}`)
    if (cycle === WARM) before = await footprintOf(stage.vswitch.pid, stage.client)
    if (cycle % SAY_EVERY === 0) say(`${cycle} of ${cycles} connections`)
  }
  await stage.page()
  await stage.pingAll()
  const after = await footprintOf(stage.vswitch.pid, stage.client)
  const grown = growth(before, after)
  if (grown.length > 0) throw new Error(`the switch grew: ${grown.join('; ')}`)
  return { cycles, before, after }
}
