import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Setup } from './setup.js'

/** What all measurements of a run have in common. */
export type SharedSetup = Omit<Setup, 'sockets' | 'folder'>

/** Gives one measurement a folder with sockets of its own. */
export async function withSockets<T>(
  shared: SharedSetup,
  measure: (setup: Setup) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-vhost-bench-'))
  try {
    return await measure({ ...shared, folder, sockets: [join(folder, 'a'), join(folder, 'b')] })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
