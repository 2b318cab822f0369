/** An lcore as the assignment sees it. */
export interface AssignableLcore {
  readonly index: number
  readonly name: string
  /** Ports it may poll, besides queues pinned to it. */
  readonly ports: 'all' | 'pinned' | ReadonlySet<string>
}

/** An rx queue that somebody has to poll. */
export interface AssignableQueue {
  readonly port: string
  readonly id: number
  readonly queue: number
  /** Name of the lcore it is pinned to. */
  readonly pinnedTo?: string | undefined
  /** Whether the guest has disabled it: it costs nothing to poll. */
  readonly disabled?: boolean | undefined
}

/** Who polls what: the lcore's index by `portId:queue`. */
export type Assignment = ReadonlyMap<string, number>

export const queueKey = ({ id, queue }: AssignableQueue): string => `${id}:${queue}`

/**
 * Spreads rx queues over lcores: pinned ones where they are pinned to, the others evenly. It moves as few as possible,
 * because a queue that changes hands waits for the burst that its last lcore has in hand, and its flows may change
 * their tx queue.
 *
 * A queue that is pinned to an lcore which does not run is treated as if it were not pinned.
 *
 * @param before - who polls what now
 * @returns who is to poll what; a queue no lcore may poll is left out
 */
export function assignQueues(
  lcores: readonly AssignableLcore[],
  queues: readonly AssignableQueue[],
  before: Assignment = new Map(),
): Map<string, number> {
  const result = new Map<string, number>()
  const load = new Load(lcores)
  const give = (queue: AssignableQueue, { index }: AssignableLcore) => {
    load.move(queue, result.get(queueKey(queue)), index)
    result.set(queueKey(queue), index)
  }

  const free: AssignableQueue[] = []
  for (const queue of queues) {
    const lcore = lcores.find(({ name }) => name === queue.pinnedTo)
    if (lcore === undefined) free.push(queue)
    else give(queue, lcore)
  }
  const homeless: AssignableQueue[] = []
  for (const queue of free) {
    const owner = lcores.find(({ index }) => index === before.get(queueKey(queue)))
    if (owner !== undefined && mayPoll(owner, queue)) give(queue, owner)
    else homeless.push(queue)
  }
  for (const queue of homeless) {
    const lcore = load.idlest(queue)
    if (lcore !== undefined) give(queue, lcore)
  }
  // A new lcore takes from those that have more than it.
  for (let moved = true; moved; ) {
    moved = false
    for (const queue of free) {
      const owner = result.get(queueKey(queue))
      const lcore = load.idlest(queue)
      if (queue.disabled || owner === undefined || lcore === undefined) continue
      if (load.of(owner) - load.of(lcore.index) < 2) continue
      give(queue, lcore)
      moved = true
    }
  }
  return result
}

function mayPoll({ ports }: AssignableLcore, { port }: AssignableQueue): boolean {
  return ports === 'all' || (ports !== 'pinned' && ports.has(port))
}

/** How many queues in use each lcore has. */
class Load {
  readonly #lcores: readonly AssignableLcore[]
  readonly #queues = new Map<number, number>()

  constructor(lcores: readonly AssignableLcore[]) {
    this.#lcores = lcores
  }

  of(index: number): number {
    return this.#queues.get(index) ?? 0
  }

  move({ disabled }: AssignableQueue, from: number | undefined, to: number): void {
    if (disabled) return
    if (from !== undefined) this.#queues.set(from, this.of(from) - 1)
    this.#queues.set(to, this.of(to) + 1)
  }

  /** Of those that may poll the queue, the one that has least to do. */
  idlest(queue: AssignableQueue): AssignableLcore | undefined {
    let best: AssignableLcore | undefined
    for (const lcore of this.#lcores) {
      if (!mayPoll(lcore, queue)) continue
      if (best === undefined || this.of(lcore.index) < this.of(best.index)) best = lcore
    }
    return best
  }
}

/** The triples of lcore, port and queue that the addon takes. */
export function toTriples(queues: readonly AssignableQueue[], assignment: Assignment): Uint32Array {
  const triples = queues.flatMap((queue) => {
    const lcore = assignment.get(queueKey(queue))
    return lcore === undefined ? [] : [lcore, queue.id, queue.queue]
  })
  return Uint32Array.from(triples)
}
