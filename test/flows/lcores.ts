import { flowTable } from '../../src/programs/flow-table/program.js'
import type { FlowReplica } from '../../src/programs/flow-table/replica.js'
import { SharedFlows, type SharedFlowsOptions } from '../../src/programs/flow-table/shared.js'
import { MadeUpBurst, type Sent } from '../support/made-up-burst.js'
import { PORT_COUNT } from './random-flows.js'

/** One of several lcores: a flow table that follows shared rules, and a burst of its own. */
export class TestReplica {
  readonly table
  readonly burst = new MadeUpBurst(PORT_COUNT)

  constructor(replica: FlowReplica) {
    this.table = flowTable({ replica: structuredClone(replica) })
  }

  run(port: number, frames: readonly Uint8Array[]): Sent {
    this.table.burst(this.burst.receive(port, frames))
    return this.burst.sent()
  }
}

/** Rules shared by lcores of this thread, whom messages reach one turn of the event loop later. */
export class TestLcores {
  readonly flows: SharedFlows
  readonly lcores: TestReplica[] = []
  /** Messages that were sent. */
  sent = 0
  /** In front of each delivery. */
  before: () => Promise<void> = async () => {}

  constructor(options: Partial<SharedFlowsOptions> = {}, clock?: () => number) {
    const deliver = async (message: unknown) => {
      this.sent++
      const reached = this.lcores.slice()
      await this.before()
      await new Promise(setImmediate)
      for (const { table } of reached) table.message(structuredClone(message))
    }
    this.flows = new SharedFlows({ deliver, ...options }, clock)
  }

  start(): TestReplica {
    const lcore = new TestReplica(this.flows.replica())
    this.lcores.push(lcore)
    return lcore
  }

  end(lcore: TestReplica): void {
    this.lcores.splice(this.lcores.indexOf(lcore), 1)
    lcore.table.close()
  }
}
