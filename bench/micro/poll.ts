import { bench, do_not_optimize, summary } from 'mitata'
import { Datapath } from '../../src/index.js'
import { binding } from '../../src/native/binding.js'

/** What it costs to cross from JavaScript to C++ and back, once a burst. */
export async function benchPoll(): Promise<AsyncDisposable> {
  const datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 64 })
  const idle = binding.createLcore(32, () => {})
  const busy = binding.createLcore(32, () => {})
  // Gives frames whenever it is asked, without touching them.
  const port = await datapath.addPort({
    name: 'null',
    type: 'dpdk',
    devargs: 'net_null_bench,size=64',
  })
  await port.ready({ timeoutMs: 10_000 })
  await binding.assign(Uint32Array.of(busy.index, port.id, 0))

  summary(() => {
    bench('a call of an empty JavaScript function', () => do_not_optimize(nothing()))
    bench('poll() without queues: one Node-API call', () => do_not_optimize(idle.poll()))
    bench('poll() that takes 32 frames and drops the last 32', () => do_not_optimize(busy.poll()))
  })
  bench('counters of a port', () => do_not_optimize(port.counters()))

  return {
    async [Symbol.asyncDispose]() {
      idle.close()
      busy.close()
      await datapath.close()
    },
  }
}

function nothing(): number {
  return 0
}
