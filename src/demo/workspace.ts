import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Longest folder whose sockets still have paths of 107 bytes. */
const MOST_BYTES = 80

/** A folder for sockets and files that goes away with the demo. */
export class Workspace {
  readonly folder: string

  constructor() {
    const usual = tmpdir()
    const parent = Buffer.byteLength(usual) > MOST_BYTES ? '/tmp' : usual
    this.folder = mkdtempSync(join(parent, 'dpdk-vhost-'))
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
