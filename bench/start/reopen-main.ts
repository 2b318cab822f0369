/** Opens a datapath twice: EAL starts with the first and stays, so the second is without it. */
import { Datapath } from 'dpdk-vhost'
import type { Opening, OpeningStart } from './opening.js'

const { memory, memoryMiB } = JSON.parse(process.argv[2] as string) as OpeningStart

async function open(): Promise<number> {
  const begun = performance.now()
  const datapath = await Datapath.open({ memory, memoryMiB })
  const taken = performance.now() - begun
  await datapath.close()
  return taken
}

const first = await open()
const second = await open()
process.send?.({ kind: 'opened', first, second } satisfies Opening & { kind: 'opened' })
