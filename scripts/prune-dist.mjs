// Removes compiled files whose TypeScript source is gone: tsc leaves them, and a stale
// dist/test/**/*.test.js would still run.

import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inRoot } from './lib/project.mjs'

export function pruneDist() {
  const dist = inRoot('dist')
  if (!existsSync(dist)) return
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath ?? entry.path, entry.name)
    const stem = /^(.*?)(\.d\.ts|\.js\.map|\.js)$/.exec(relative(dist, file))?.[1]
    if (entry.isFile() && stem && !existsSync(inRoot(`${stem}.ts`))) rmSync(file)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) pruneDist()
