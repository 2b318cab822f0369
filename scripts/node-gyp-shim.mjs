#!/usr/bin/env node
// Stands in for node-gyp when prebuildify calls it, so that a prebuild needs neither Node's headers
// nor Python. Called as: rebuild --target=VERSION --devdir=DIR --arch=ARCH --release|--debug

import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { cmakeJs } from './lib/cmake-js.mjs'
import { root } from './lib/project.mjs'
import { fail } from './lib/step.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  strict: false,
  options: { arch: { type: 'string' }, debug: { type: 'boolean' } },
})

if (positionals[0] !== 'rebuild')
  fail(`node-gyp-shim: only "rebuild" is known, not "${positionals[0]}"`)
if (values.arch && values.arch !== process.arch) {
  fail(
    `node-gyp-shim: cannot build for ${values.arch} on ${process.arch}; run it on such a machine`,
  )
}

const config = values.debug ? 'Debug' : 'Release'
// A prebuild goes to other machines: from a fresh configuration, never from a developer's cache.
const child = spawnSync(process.execPath, cmakeJs('rebuild', { config }), {
  cwd: root,
  stdio: 'inherit',
})
process.exit(child.status ?? 1)
