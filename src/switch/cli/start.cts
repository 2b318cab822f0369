#!/usr/bin/env node
/**
 * The command `vswitch` as it is published: all of it in one script, and beside it what V8 made of that script when the
 * package was built (docs/decisions/0016-bundle.md). In CommonJS, so that Node.js need not start its loader of modules.
 */
import path = require('node:path')
import compiled = require('../../bundle/compiled.cjs')

const file = path.join(__dirname, 'vswitch-main.cjs')
compiled(file)(require, file)
