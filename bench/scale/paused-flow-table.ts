import type { Burst } from '../../src/burst/burst.js'
import { FlowTable, type FlowTableOptions } from '../../src/programs/flow-table/program.js'
import type { ProgramContext } from '../../src/programs/program.js'

/** A flow table that remembers the longest time between two bursts; the message `pause` asks for it, in ms, and forgets it. */
class PausedFlowTable extends FlowTable {
  #last = 0
  #longest = 0

  override burst(burst: Burst): void {
    const { now } = burst
    if (this.#last !== 0 && now - this.#last > this.#longest) this.#longest = now - this.#last
    this.#last = now
    super.burst(burst)
  }

  override message(message: unknown): unknown {
    if (message !== 'pause') return super.message(message)
    const longest = this.#longest
    this.#longest = 0
    return longest
  }
}

/** Makes the program of an lcore. */
export default function makePausedFlowTable({ data }: ProgramContext): FlowTable {
  return new PausedFlowTable(data as FlowTableOptions)
}
