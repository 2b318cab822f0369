/** Tells that it is loaded, before any datapath need be there. */
import { BroadcastChannel, threadId } from 'node:worker_threads'
import type { Program, ProgramContext } from '../../../src/index.js'

const loaded = new BroadcastChannel('announced')
loaded.postMessage(threadId)
loaded.close()

export default function makeAnnounced({ data }: ProgramContext): Program {
  return { burst() {}, message: () => ({ data, threadId }) }
}
