// Bundles what tsc made into the files that are published: dist/lib. Loading a package's modules one by one costs half a
// millisecond each, and a guest waits for a switch that starts (docs/decisions/0016-bundle.md).

import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { inRoot } from './lib/project.mjs'

/** Modules of dist/lib, and the module of dist/src that each is made of. Whoever adds one names it in package.json. */
const ENTRIES = {
  index: 'index',
  headers: 'headers/index',
  capture: 'capture/index',
  doctor: 'doctor/index',
  metrics: 'metrics/index',
  qos: 'qos/index',
  vif: 'vif/index',
  vswitch: 'switch/cli/main',
  'switch-program': 'switch/lcore/program',
  // Beside the chunk that starts it.
  'worker-main': 'lcore/worker-main',
  ...Object.fromEntries(
    [
      'cross-connect',
      'learning-switch',
      'mac-table',
      'sub-burst',
      'flow-table/book',
      'flow-table/format',
      'flow-table/meters',
      'flow-table/program',
      'flow-table/rule',
      'flow-table/shared',
    ].map((name) => [`programs/${name}`, `programs/${name}`]),
  ),
}

/** A constant of a module. */
const CONSTANT = /^var (?=[A-Z][A-Z0-9_]* = |\{ [A-Z][A-Z0-9_]*[:,] )/gm

/** A class that mentions itself. */
const CLASS = /^var (\w+) = class (_\1)\b/gm

/**
 * Undoes what esbuild changes: constants become variables, which V8 does not fold (a MAC lookup costs a fifth more then),
 * and some classes get another name, which stack traces show.
 */
function asWritten(text) {
  const renamed = Array.from(text.matchAll(CLASS), ([, name, inside]) => [inside, name])
  return renamed.reduce(
    (code, [inside, name]) => code.replaceAll(new RegExp(`\\b${inside}\\b`, 'g'), name),
    text.replace(CONSTANT, 'const '),
  )
}

export async function bundle() {
  const { outputFiles } = await build({
    entryPoints: Object.entries(ENTRIES).map(([out, module]) => ({
      in: inRoot(`dist/src/${module}.js`),
      out,
    })),
    outdir: inRoot('dist/lib'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    write: false,
    logLevel: 'warning',
    // What the switch imports of the package becomes a part of the bundle.
    conditions: ['dpdk-vhost-source'],
    // Both look for files beside their own.
    external: ['node-gyp-build', 'esbuild'],
    // Packages in CommonJS ask for Node's modules by `require`.
    banner: {
      js: "import { createRequire as createRequireHere } from 'node:module'; const require = createRequireHere(import.meta.url);",
    },
  })
  rmSync(inRoot('dist/lib'), { recursive: true, force: true })
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, path.endsWith('.js') ? asWritten(text) : text)
  }
  chmodSync(inRoot('dist/lib/vswitch.js'), 0o755)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle()
