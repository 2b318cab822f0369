import type { Lcore } from '../lcore/lcore.js'
import { binding } from '../native/binding.js'
import { type AssignableQueue, assignQueues, queueKey, toTriples } from './assign.js'
import type { Port } from './port.js'

/** An rx queue of a port, and who polls it. */
export interface RxQueueStatus {
  /** Name of the port. */
  readonly port: string
  readonly queue: number
  /** Whether the guest has it enabled. */
  readonly enabled: boolean
  /** Name of the lcore that polls it; undefined while none may. */
  readonly lcore: string | undefined
  /** Name of the lcore that it is pinned to. */
  readonly pinnedTo: string | undefined
}

interface PortQueues {
  readonly port: Port
  /** Those its guests ever enabled: they stay assigned, so that a reconnect finds its lcore polling already. */
  readonly known: Set<number>
  /** Those the guest uses, or used when it was last ready. */
  used: ReadonlySet<number>
}

/** The rx queues of all ports, kept assigned to lcores as both come and go. */
export class RxQueues {
  readonly #lcores: ReadonlySet<Lcore>
  readonly #ports = new Map<Port, PortQueues>()
  #assignment = new Map<string, number>()
  #assigning: Promise<void> | undefined
  #assignAgain = false

  constructor(lcores: ReadonlySet<Lcore>) {
    this.#lcores = lcores
  }

  add(port: Port): void {
    const queues = port.spec.type === 'dpdk' ? [...Array(port.spec.rxQueues).keys()] : [0]
    this.#ports.set(port, { port, known: new Set(queues), used: new Set(queues) })
  }

  remove(port: Port): void {
    this.#ports.delete(port)
  }

  /** Takes note of what a port's guest has enabled. */
  update(port: Port): void {
    const queues = this.#ports.get(port)
    if (queues === undefined) return
    const { state, rxQueues } = port.status
    const { known, used } = queues
    const fresh = rxQueues.filter((queue) => !known.has(queue))
    for (const queue of fresh) known.add(queue)
    // While there is no device its queues come one by one, and those of the last one go on counting.
    queues.used = new Set(state === 'ready' ? rxQueues : [...used, ...fresh])
    const same = queues.used.size === used.size && rxQueues.every((queue) => used.has(queue))
    if (fresh.length > 0 || !same) void this.assign()
  }

  /** Resolves once what is known now is in force. Calls that come while one is under way share the next. */
  async assign(): Promise<void> {
    this.#assignAgain = true
    this.#assigning ??= (async () => {
      while (this.#assignAgain) {
        this.#assignAgain = false
        const queues = this.#assignable()
        this.#assignment = assignQueues([...this.#lcores], queues, this.#assignment)
        await binding.assign(toTriples(queues, this.#assignment))
      }
      this.#assigning = undefined
    })()
    await this.#assigning
  }

  list(): RxQueueStatus[] {
    const lcores = new Map([...this.#lcores].map(({ index, name }) => [index, name]))
    return this.#assignable().map((assignable) => {
      const { port, queue, pinnedTo, disabled } = assignable
      const lcore = lcores.get(this.#assignment.get(queueKey(assignable)) ?? -1)
      return { port, queue, enabled: !disabled, lcore, pinnedTo }
    })
  }

  #assignable(): Required<AssignableQueue>[] {
    return [...this.#ports.values()].flatMap(({ port: { id, name, rxAffinity }, known, used }) =>
      [...known]
        .sort((a, b) => a - b)
        .map((queue) => ({
          port: name,
          id,
          queue,
          pinnedTo: rxAffinity[queue],
          disabled: !used.has(queue),
        })),
    )
  }
}
