// Loaded with `--require` by scripts/bundle.mjs: writes what V8 compiled of the scripts that each thread ran, for
// src/bundle/compiled.cts.

const { writeFileSync } = require('node:fs')
const vm = require('node:vm')

const scripts = []

vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, { ...options, cachedData: undefined })
    scripts.push({ script: this, file: options.filename })
  }
}

// At the end, when it has functions in it that were called.
process.once('exit', () => {
  for (const { script, file } of scripts)
    writeFileSync(`${file}.${process.version}-${process.arch}`, script.createCachedData())
  process.exitCode = 0
})
