import { join } from 'node:path'
import { TestHost } from '../../src/testkit/index.js'
import type { BenchProcess } from '../process.js'
import type { Contender, SwitchSetup } from '../reconnect/contender.js'
import { withFolder } from '../sockets.js'

/** Two guests that listen, on the generator's CPU, and a switch for them that is prepared and does not run yet. */
export interface BetweenGuests {
  readonly sender: TestHost
  readonly receiver: TestHost
  readonly folder: string
  start(): BenchProcess
}

/** Rejects with the signal's reason when it is aborted. All that it made has ended when it resolves. */
export function betweenGuests<T>(
  contender: Contender,
  shared: Pick<SwitchSetup, 'cpus' | 'memory'>,
  signal: AbortSignal,
  work: (guests: BetweenGuests) => Promise<T>,
): Promise<T> {
  return withFolder(async (folder) => {
    const sockets = [join(folder, 'a'), join(folder, 'b')] as const
    const { generator: cpu } = shared.cpus
    const host = (path: string) => TestHost.start({ path, cpu, signal })
    const [first, second] = await Promise.all(sockets.map(host))
    await using sender = first as TestHost
    await using receiver = second as TestHost
    await using supervisor = await contender.prepare({ ...shared, folder, sockets })
    // Awaited here: all of them end with this function.
    return await work({ sender, receiver, folder, start: () => supervisor.start() })
  })
}
