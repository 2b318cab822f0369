/** Workers open a datapath and end, one after the other; each is the only thread that has the addon. */
import { once } from 'node:events'
import { isMainThread, Worker } from 'node:worker_threads'

if (isMainThread) {
  for (let i = 0; i < 3; i++) {
    const worker = new Worker(new URL(import.meta.url))
    const [code] = await once(worker, 'exit')
    console.log(`worker ended with ${code}`)
  }
  process.exit(42)
}

// Not in the main thread: that would keep the addon.
const { Datapath } = await import('../../../src/index.js')
const { SMALL } = await import('../../support/loopback.js')
const datapath = await Datapath.open(SMALL)
await datapath.close()
