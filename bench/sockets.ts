import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Setup } from './setup.js'

/** What all measurements of a run have in common. */
export type SharedSetup = Omit<Setup, 'sockets' | 'folder'>

/** Paths of all folders that there are: none outlives this process. */
const folders = new Set<string>()
process.once('exit', () => folders.forEach(remove))

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

/** A folder for one measurement, until it is disposed of. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'dpdk-vhost-bench-'))

  constructor() {
    folders.add(this.path)
  }

  /** `shared`, with sockets in this folder. */
  setup(shared: SharedSetup): Setup {
    const { path } = this
    return { ...shared, folder: path, sockets: [join(path, 'a'), join(path, 'b')] }
  }

  [Symbol.dispose](): void {
    folders.delete(this.path)
    remove(this.path)
  }
}

/** Gives one measurement a folder with sockets of its own. */
export async function withSockets<T>(
  shared: SharedSetup,
  measure: (setup: Setup) => Promise<T>,
): Promise<T> {
  using folder = new Folder()
  return await measure(folder.setup(shared))
}

/** A folder that is there for as long as one measurement takes. */
export async function withFolder<T>(measure: (folder: string) => Promise<T>): Promise<T> {
  using folder = new Folder()
  return await measure(folder.path)
}
