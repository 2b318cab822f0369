import { TestHost } from '../../src/testkit/index.js'
import { OwnSwitch } from '../own/own-switch.js'
import { type SharedSetup, withSockets } from '../sockets.js'
import { otherSockets } from './contender.js'

/**
 * Milliseconds from the start of the switch's process until it has all of its ports, and the two whose guests listen
 * already are ready.
 */
export function startTime(shared: SharedSetup, ports: number): Promise<number> {
  return withSockets(shared, async (setup) => {
    const cpu = setup.cpus.generator
    await using _a = await TestHost.start({ path: setup.sockets[0], cpu })
    await using _b = await TestHost.start({ path: setup.sockets[1], cpu })
    const others = otherSockets(setup.folder, ports - 2)
    const begun = performance.now()
    await using own = new OwnSwitch(setup, 'ts-learning', { others, guests: false })
    await own.started()
    return performance.now() - begun
  })
}
