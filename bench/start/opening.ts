import { Channel } from '../own/channel.js'
import type { SharedSetup } from '../sockets.js'
import { withFolder } from '../sockets.js'
import { SWITCH_MIB } from './contender.js'

const PATIENCE_MS = 20_000

export interface OpeningStart {
  readonly memory: 'hugepages' | 'memfd'
  readonly memoryMiB: number
}

/** Milliseconds that `Datapath.open` takes in a new process, and again in the same process, where EAL runs already. */
export interface Opening {
  readonly first: number
  readonly second: number
}

export function measureOpening({ memory }: Pick<SharedSetup, 'memory'>): Promise<Opening> {
  return withFolder(async (folder) => {
    const start: OpeningStart = { memory: memory.kind, memoryMiB: SWITCH_MIB }
    const script = new URL('./reopen-main.js', import.meta.url)
    await using channel = new Channel<never, Opening & { kind: 'opened' }>(
      'reopen',
      script,
      start,
      folder,
    )
    const { first, second } = await channel.reply('opened', PATIENCE_MS)
    return { first, second }
  })
}
