import { Generator } from '../generator.js'
import { Channel } from '../own/channel.js'
import { MANY_GUESTS_MS } from '../own/own-switch.js'
import { type SharedSetup, withSockets } from '../sockets.js'
import { unlessAborted } from '../unless-aborted.js'
import { otherSockets } from './contender.js'
import { IdleGuests } from './guests.js'

/** What the process that takes turns is told. */
export interface TurnsStart {
  readonly sockets: readonly [string, string]
  readonly others: readonly string[]
  readonly cpu: number
  readonly memory: 'hugepages' | 'memfd'
  readonly memoryMiB: number
}

export interface TurnsRequest {
  readonly milliseconds: number
}

export type TurnsReply = { kind: 'started' } | { kind: 'turns'; turns: Turn[] }

/** What an lcore did in a slice of time. */
export interface Slice {
  readonly framesPerSecond: number
  readonly cyclesPerFrame: number
}

/** Two slices that follow each other: the lcore polls the queues of all ports, and of the active pair alone. */
export interface Turn {
  readonly all: Slice
  readonly pair: Slice
}

/**
 * What idle guests cost an active pair: one lcore has all queues and those of the pair in turns of a few dozen
 * milliseconds, over the same rings. What a host does to its virtual CPUs lasts longer than that.
 *
 * @throws the signal's reason when it is aborted
 */
export function measureTurns(
  shared: SharedSetup,
  ports: number,
  milliseconds: number,
  signal: AbortSignal,
): Promise<Turn[]> {
  signal.throwIfAborted()
  return withSockets(shared, async (setup) => {
    const { sockets, folder, cpus, memory } = setup
    const others = otherSockets(folder, ports - 2)
    await using generator = new Generator(setup)
    await using guests = new IdleGuests(others, folder)
    const start: TurnsStart = {
      sockets,
      others,
      cpu: cpus.switch,
      memory: memory.kind,
      memoryMiB: memory.mib,
    }
    const script = new URL('./turns-main.js', import.meta.url)
    await using own = new Channel<TurnsRequest, TurnsReply>('turns', script, start, folder)
    const work = async () => {
      const started = own.reply('started', MANY_GUESTS_MS)
      await Promise.all([generator.started(), guests.started, started])
      await generator.begin()
      return (await own.ask({ milliseconds }, 'turns', 2 * milliseconds)).turns
    }
    return await unlessAborted(Promise.race([work(), generator.failed]), signal)
  })
}
