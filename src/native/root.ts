import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The folder of package.json. Searched for upwards, since this file sits at different depths when
 * compiled (dist/src/native) and in the source tree (src/native).
 */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) throw new Error('dpdk-vhost: no package.json above its own code')
    folder = parent
  }
  return folder
}
