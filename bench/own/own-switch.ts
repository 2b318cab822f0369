import type { RunningSwitch, Work } from '../contender.js'
import { type Setup, START_MS } from '../setup.js'
import type { OwnName, Pair, Reply, Request, Start, Totals } from './messages.js'
import { OwnProcess } from './own-process.js'

/** Time that many guests may take to be connected. */
export const MANY_GUESTS_MS = 90_000

/** A switch made with this package, in a process of its own. */
export class OwnSwitch extends OwnProcess<Request, Reply> implements RunningSwitch {
  #before: Totals | undefined

  constructor(
    { burst, frameBytes, sockets, folder, cpus, memory, lcoreCpus = [cpus.switch] }: Setup,
    contender: OwnName,
    given: Partial<Pick<Start, 'others' | 'guests' | 'exactRules' | 'idle'>> = {},
  ) {
    // testpmd never sleeps.
    const more = { others: [], guests: false, exactRules: 0, idle: 'spin' as const, ...given }
    const start: Start = {
      contender,
      sockets,
      cpus: lcoreCpus,
      burst,
      memory: memory.kind,
      memoryMiB: memory.mib,
      frameBytes,
      ...more,
    }
    const patienceMs = more.guests ? MANY_GUESTS_MS : START_MS
    super(contender, new URL('./main.js', import.meta.url), start, folder, patienceMs)
  }

  async begin(milliseconds: number): Promise<void> {
    await this.channel.ask({ kind: 'begin', milliseconds }, 'begun')
  }

  /** Changes between the C++ loop and the TypeScript program for that long. */
  async alternate(milliseconds: number): Promise<Pair[]> {
    const request = { kind: 'alternate', milliseconds } as const
    return (await this.channel.ask(request, 'alternated', milliseconds)).pairs
  }

  async countCycles(): Promise<void> {
    this.#before = await this.#totals()
  }

  async work(): Promise<Work> {
    const now = await this.#totals()
    const since = (key: keyof Totals) => now[key] - (this.#before?.[key] ?? 0)
    const bursts = since('bursts')
    return {
      frames: since('frames'),
      busyCycles: since('busyCycles'),
      cyclesPerSecond: now.cyclesPerSecond,
      dropped: since('dropped'),
      burst: bursts === 0 ? undefined : since('frames') / bursts,
    }
  }

  async #totals(): Promise<Totals> {
    return (await this.channel.ask({ kind: 'totals' }, 'totals')).totals
  }
}
