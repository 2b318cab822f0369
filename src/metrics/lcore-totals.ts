import type { LcoreCounters, RxCounters } from '../counters/counters.js'
import type { Datapath } from '../datapath/datapath.js'
import type { LcoreEvent, ProgramEvent } from '../lcore/events.js'
import type { Lcore } from '../lcore/lcore.js'
import type { LcoreSnapshot } from './snapshot.js'

/** What is known of the lcores that had a name. */
interface Totals {
  /** The one that runs, or ran last. */
  lcore: Lcore
  starts: number
  /** Times its program did not return. */
  stuck: number
  /** Of those before it. */
  before: LcoreCounters | undefined
  /** Its own, when it was last looked at. */
  seen: LcoreCounters
}

/**
 * Counters by the names of lcores. An lcore counts from zero; when one ends and another is started by its name, as a switch
 * does after a crash, the counters of the name go on.
 */
export class LcoreTotals implements Disposable {
  readonly #datapath: Datapath
  readonly #byName = new Map<string, Totals>()
  readonly #listener = (event: LcoreEvent) => this.#note(event)

  readonly #onProgram = ({ lcore, problem }: ProgramEvent) => {
    const totals = this.#byName.get(lcore)
    if (problem === 'stuck' && totals !== undefined) totals.stuck += 1
  }

  constructor(datapath: Datapath) {
    this.#datapath = datapath
    datapath.on('lcore', this.#listener)
    datapath.on('program', this.#onProgram)
    for (const lcore of datapath.lcores) this.#look(lcore)
  }

  /** Those of the lcores that run. */
  read(): LcoreSnapshot[] {
    return Array.from(this.#datapath.lcores, (lcore) => {
      const { before, seen, starts, stuck } = this.#look(lcore)
      const counters = before === undefined ? seen : add(before, seen)
      return { name: lcore.name, counters, starts, stuck }
    })
  }

  [Symbol.dispose](): void {
    this.#datapath.off('lcore', this.#listener)
    this.#datapath.off('program', this.#onProgram)
  }

  #note({ lcore: name, state }: LcoreEvent): void {
    const running = [...this.#datapath.lcores]
    if (state === 'started') {
      const started = running.find((one) => one.name === name)
      if (started !== undefined) this.#look(started)
      return
    }
    const totals = this.#byName.get(name)
    // Once another lcore has its index, its counters are gone.
    if (totals === undefined || running.some(({ index }) => index === totals.lcore.index)) return
    totals.seen = totals.lcore.counters()
  }

  #look(lcore: Lcore): Totals {
    const known = this.#byName.get(lcore.name)
    const seen = lcore.counters()
    if (known?.lcore === lcore) return Object.assign(known, { seen })
    const before =
      known && (known.before === undefined ? known.seen : add(known.before, known.seen))
    const totals: Totals = {
      lcore,
      starts: (known?.starts ?? 0) + 1,
      stuck: known?.stuck ?? 0,
      before,
      seen,
    }
    this.#byName.set(lcore.name, totals)
    return totals
  }
}

function add(one: LcoreCounters, other: LcoreCounters): LcoreCounters {
  const { burstSizes, made, ...plain } = one
  return {
    ...addEach(plain, other),
    burstSizes: burstSizes.map((count, i) => count + (other.burstSizes[i] ?? 0)),
    made: addEach<RxCounters>(made, other.made),
  }
}

function addEach<T extends object>(one: T, other: T): T {
  const sum = Object.entries(one).map(([key, value]) => [key, value + other[key as keyof T]])
  return Object.fromEntries(sum) as T
}
