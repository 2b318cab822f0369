import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Setup } from './setup.js'

/** What all measurements of a run have in common. */
export type SharedSetup = Omit<Setup, 'sockets' | 'folder'>

/** Gives one measurement a folder with sockets of its own. */
export function withSockets<T>(
  shared: SharedSetup,
  measure: (setup: Setup) => Promise<T>,
): Promise<T> {
  return withFolder((folder) =>
    measure({ ...shared, folder, sockets: [join(folder, 'a'), join(folder, 'b')] }),
  )
}

/** A folder that is there for as long as one measurement takes, and no longer than this process. */
export async function withFolder<T>(measure: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-vhost-bench-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    return await measure(folder)
  } finally {
    process.off('exit', remove)
    remove()
  }
}
