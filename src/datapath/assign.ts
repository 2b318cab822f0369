/** An lcore as the assignment sees it. */
export interface AssignableLcore {
  readonly index: number
  /** Ports it may poll. */
  readonly ports: 'all' | ReadonlySet<string>
}

/** An rx queue that somebody has to poll. */
export interface AssignableQueue {
  readonly port: string
  readonly id: number
  readonly queue: number
}

/** Who polls what: the lcore's index by `portId:queue`. */
export type Assignment = ReadonlyMap<string, number>

export const queueKey = ({ id, queue }: AssignableQueue): string => `${id}:${queue}`

/**
 * Spreads rx queues over lcores: evenly, and moving as few as possible, because frames of a flow can overtake each
 * other while their queue changes hands.
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
  const load = new Map(lcores.map((lcore) => [lcore.index, 0]))
  const may = (lcore: AssignableLcore, queue: AssignableQueue) =>
    lcore.ports === 'all' || lcore.ports.has(queue.port)
  const idlest = (queue: AssignableQueue) =>
    lcores
      .filter((lcore) => may(lcore, queue))
      .reduce<AssignableLcore | undefined>(
        (best, lcore) =>
          best === undefined || loadOf(load, lcore.index) < loadOf(load, best.index) ? lcore : best,
        undefined,
      )
  const give = (queue: AssignableQueue, index: number) => {
    result.set(queueKey(queue), index)
    load.set(index, loadOf(load, index) + 1)
  }

  const homeless: AssignableQueue[] = []
  for (const queue of queues) {
    const owner = lcores.find((lcore) => lcore.index === before.get(queueKey(queue)))
    if (owner !== undefined && may(owner, queue)) give(queue, owner.index)
    else homeless.push(queue)
  }
  for (const queue of homeless) {
    const lcore = idlest(queue)
    if (lcore !== undefined) give(queue, lcore.index)
  }
  // A new lcore takes from those that have more than it.
  for (let moved = true; moved; ) {
    moved = false
    for (const queue of queues) {
      const owner = result.get(queueKey(queue))
      const lcore = idlest(queue)
      if (owner === undefined || lcore === undefined) continue
      if (loadOf(load, owner) - loadOf(load, lcore.index) < 2) continue
      load.set(owner, loadOf(load, owner) - 1)
      give(queue, lcore.index)
      moved = true
    }
  }
  return result
}

function loadOf(load: ReadonlyMap<number, number>, index: number): number {
  return load.get(index) ?? 0
}

/** The triples of lcore, port and queue that the addon takes. */
export function toTriples(queues: readonly AssignableQueue[], assignment: Assignment): Uint32Array {
  const triples = queues.flatMap((queue) => {
    const lcore = assignment.get(queueKey(queue))
    return lcore === undefined ? [] : [lcore, queue.id, queue.queue]
  })
  return Uint32Array.from(triples)
}
