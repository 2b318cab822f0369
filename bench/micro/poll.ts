import { do_not_optimize } from 'mitata'
import { Datapath, type Port } from '../../src/index.js'
import { binding, type NativeLcore } from '../../src/native/binding.js'
import type { Operation } from './operation.js'

const GROUP = 'Calls between JavaScript and C++'

/** What it costs to cross from JavaScript to C++ and back, once a burst. */
export class Polls {
  readonly #datapath: Datapath
  readonly #none: NativeLcore
  readonly #empty: NativeLcore
  readonly #busy: NativeLcore
  readonly #port: Port

  private constructor(datapath: Datapath, lcores: readonly NativeLcore[], port: Port) {
    this.#datapath = datapath
    ;[this.#none, this.#empty, this.#busy] = lcores as [NativeLcore, NativeLcore, NativeLcore]
    this.#port = port
  }

  static async open(): Promise<Polls> {
    const datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 64 })
    const lcores = [0, 1, 2].map(() => binding.createLcore(32, () => false))
    const addPort = async (name: string, devargs: string) => {
      const port = await datapath.addPort({ name, type: 'dpdk', devargs })
      await port.ready({ timeoutMs: 10_000 })
      return port
    }
    // One gives frames whenever it is asked, without touching them; the other never has any.
    const giving = await addPort('null', 'net_null0,size=64')
    const silent = await addPort('silent', 'net_null1,no-rx=1')
    const [, empty, busy] = lcores as [NativeLcore, NativeLcore, NativeLcore]
    await binding.assign(Uint32Array.of(busy.index, giving.id, 0, empty.index, silent.id, 0))
    return new Polls(datapath, lcores, giving)
  }

  readonly operations = (): Operation[] => {
    const operation = (name: string, run: () => void, per = 1) => ({ group: GROUP, name, per, run })
    return [
      operation('a call of an empty JavaScript function', () => do_not_optimize(nothing())),
      operation('poll() without queues: one Node-API call', () =>
        do_not_optimize(this.#none.poll()),
      ),
      operation('poll() of an empty queue', () => do_not_optimize(this.#empty.poll())),
      operation('poll() that takes 32 frames and drops the last 32', () =>
        do_not_optimize(this.#busy.poll()),
      ),
      operation('counters of a port', () => do_not_optimize(this.#port.counters())),
    ]
  }

  async close(): Promise<void> {
    for (const lcore of [this.#none, this.#empty, this.#busy]) lcore.close()
    await this.#datapath.close()
  }
}

function nothing(): number {
  return 0
}
