#!/usr/bin/env node
/**
 * The command `vswitch` as it is published: all of it in one script, and beside it what V8 made of that script when the
 * package was built (docs/decisions/0016-bundle.md).
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'

const file = fileURLToPath(new URL('./vswitch.cjs', import.meta.url))

/** Only for the version of Node.js that made it; any other compiles the script. */
function codeCache(): Buffer | undefined {
  try {
    return readFileSync(`${file}.${process.version}-${process.arch}`)
  } catch {
    return undefined
  }
}

const cachedData = codeCache()
const script = new Script(readFileSync(file, 'utf8'), {
  filename: file,
  ...(cachedData && { cachedData }),
})
script.runInThisContext()(createRequire(file), file)
