// Runs a script of scripts/bundle.mjs and writes what V8 compiled of it, for src/switch/cli/start.cts.
//
// node scripts/lib/code-cache.mjs FILE ARGUMENT...

import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Script } from 'node:vm'

process.argv.splice(1, 1)
const [, file] = process.argv
const script = new Script(readFileSync(file, 'utf8'), { filename: file })
// At the end, when it has functions in it that were called.
process.once('exit', () => {
  writeFileSync(`${file}.${process.version}-${process.arch}`, script.createCachedData())
  process.exitCode = 0
})
script.runInThisContext()(createRequire(file), file)
