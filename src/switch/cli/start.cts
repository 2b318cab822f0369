#!/usr/bin/env node
/**
 * The command `vswitch` as it is published: all of it in one script, and beside it what V8 made of that script when the
 * package was built (docs/decisions/0016-bundle.md). In CommonJS, so that Node.js need not start its loader of modules.
 */
import fs = require('node:fs')
import path = require('node:path')
import vm = require('node:vm')

const file = path.join(__dirname, 'vswitch-main.cjs')

/** Only for the version of Node.js that made it; any other compiles the script. */
function codeCache(): Buffer | undefined {
  try {
    return fs.readFileSync(`${file}.${process.version}-${process.arch}`)
  } catch {
    return undefined
  }
}

const cachedData = codeCache()
const script = new vm.Script(fs.readFileSync(file, 'latin1'), {
  filename: file,
  ...(cachedData && { cachedData }),
})
script.runInThisContext()(require, file)
