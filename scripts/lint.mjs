// Lints and checks the format of everything; with --fix, repairs what can be repaired.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { inRoot, root } from './lib/project.mjs'
import { fail } from './lib/step.mjs'

const fix = process.argv.includes('--fix')

const biome = run('node_modules/.bin/biome', [
  'check',
  '--error-on-warnings',
  ...(fix ? ['--write'] : []),
  '.',
])
const cpp = nativeFiles()
const clang =
  cpp.length === 0 ? 0 : run('clang-format', [...(fix ? ['-i'] : ['--dry-run', '-Werror']), ...cpp])
process.exitCode = biome || clang

function run(command, args) {
  const child = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (child.error?.code === 'ENOENT')
    fail(`${command} is missing: npm ci && npm run setup -- --lint`)
  return child.status ?? 1
}

function nativeFiles() {
  if (!existsSync(inRoot('native'))) return []
  return readdirSync(inRoot('native'), { recursive: true })
    .filter((name) => /\.(cc|c|h)$/.test(name))
    .map((name) => join('native', name))
}
