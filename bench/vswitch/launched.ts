import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { AdminClient } from '../../src/switch/admin/client.js'
import type { BenchProcess } from '../process.js'
import { START_MS } from '../setup.js'

/** The command as it is installed. */
export const VSWITCH = fileURLToPath(new URL('../../lib/vswitch.cjs', import.meta.url))

const ASK_MS = 20

/**
 * Resolves once all ports of a `vswitch run` are ready.
 *
 * @throws Error when it has ended, or when they are not in time
 */
export async function untilReady(client: AdminClient, process: BenchProcess): Promise<void> {
  const deadline = performance.now() + START_MS
  while (!(await isReady(client))) {
    if (performance.now() > deadline)
      throw new Error(`vswitch is not ready after ${START_MS} ms:\n${process.output}`)
    await Promise.race([sleep(ASK_MS), process.failed])
  }
}

async function isReady(client: AdminClient): Promise<boolean> {
  if (!(await client.isListening())) return false
  return (await client.ports()).every(({ state }) => state === 'ready')
}
