// What binding.gyp's only action runs: gyp asks for a configuration, CMake builds it.

import { spawnSync } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cmakeJs } from './lib/cmake-js.mjs'

const config = process.argv[2] ?? 'Release'

// gyp runs us from make, whose job server must not leak into a second make.
const { MAKEFLAGS: _flags, MAKELEVEL: _level, MFLAGS: _oldFlags, ...env } = process.env

const child = spawnSync(process.execPath, cmakeJs('build', { config }), {
  cwd: dirname(dirname(fileURLToPath(import.meta.url))),
  stdio: 'inherit',
  env,
})
process.exit(child.status ?? 1)
