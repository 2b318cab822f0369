// Bundles what tsc made into the files that are published: dist/lib. Loading a package's modules one by one costs half a
// millisecond each, and a guest waits for a switch that starts (docs/decisions/0016-bundle.md).

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { lcoreScript } from './lib/lcore-script.mjs'
import { inRoot } from './lib/project.mjs'

/** Modules of dist/lib, and the module of dist/src that each is made of. Whoever adds one names it in package.json. */
const ENTRIES = {
  index: 'index',
  headers: 'headers/index',
  capture: 'capture/index',
  'capture/recorder': 'capture/recorder',
  doctor: 'doctor/index',
  metrics: 'metrics/index',
  qos: 'qos/index',
  vif: 'vif/index',
  'switch-program': 'switch/lcore/program',
  ...Object.fromEntries(
    [
      'cross-connect',
      'learning-switch',
      'program',
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

/** The executable, and the script that it runs. */
const EXECUTABLE = 'dist/lib/vswitch.cjs'
const COMMAND = 'dist/lib/vswitch-main.cjs'

/** Files in CommonJS that run the scripts, and what each is made of. */
const STARTERS = {
  vswitch: 'switch/cli/start',
  lcore: 'bundle/lcore',
  'worker-main': 'bundle/worker-main',
}

/** A constant of a module. */
const CONSTANT = /^var (?=[A-Z][A-Z0-9_]* = |\{ [A-Z][A-Z0-9_]*[:,] )/gm

/** A class that mentions itself. */
const CLASS = /^ *(?:var )?(\w+) = class (_\1)\b/gm

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

/** Comments, each on lines of its own: all that esbuild leaves of what is not ASCII. */
const COMMENT = /^\s*(?:\/\/|\/?\*).*/gm
const NOT_ASCII = /[\u0080-\uffff]/g

/** V8 keeps a script of ASCII in half the memory, and vswitch.cjs need not decode it. */
function inAscii(text) {
  const ascii = text.replaceAll(COMMENT, (comment) => comment.replaceAll(NOT_ASCII, '?'))
  const line = ascii.split('\n').find((one) => one.search(NOT_ASCII) >= 0)
  if (line !== undefined) throw new Error(`the bundle would not be ASCII: ${line}`)
  return ascii
}

/** Loaded with it, Node.js's module takes a start 3 ms, and only commands that are programs of their own need it. */
const COMMANDER_SPAWNS = "const childProcess = require('node:child_process');"
const SPAWNS_LATE =
  "const childProcess = { spawn: (...args) => require('node:child_process').spawn(...args) };"

const commanderSpawnsLate = {
  name: 'commander-spawns-late',
  setup({ onLoad }) {
    onLoad({ filter: /commander\/lib\/command\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      if (!text.includes(COMMANDER_SPAWNS)) throw new Error(`${path}: its import has changed`)
      return { contents: text.replace(COMMANDER_SPAWNS, SPAWNS_LATE) }
    })
  },
}

const SHARED = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  write: false,
  logLevel: 'warning',
  charset: 'ascii',
  // What the switch imports of the package becomes a part of the bundle.
  conditions: ['dpdk-vhost-source'],
  // Both look for files beside their own.
  external: ['node-gyp-build', 'esbuild'],
  plugins: [commanderSpawnsLate],
}

const modules = (ofLcore) =>
  build({
    ...SHARED,
    plugins: [ofLcore],
    entryPoints: Object.entries(ENTRIES).map(([out, module]) => ({
      in: inRoot(`dist/src/${module}.js`),
      out,
    })),
    outdir: inRoot('dist/lib'),
    splitting: true,
    format: 'esm',
    // Packages in CommonJS ask for Node's modules by `require`.
    banner: {
      js: "import { createRequire as createRequireHere } from 'node:module'; const require = createRequireHere(import.meta.url);",
    },
  })

/** The command as one script: V8 keeps compiled code of scripts only, not of modules. */
const command = () =>
  build({
    ...SHARED,
    entryPoints: [inRoot('dist/src/switch/cli/main.js')],
    outfile: inRoot(COMMAND),
    format: 'cjs',
    // They are in the maps of the modules.
    sourcesContent: false,
    // Scripts that are run by `vm` have `require`, and no `import()`.
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': 'hereUrl', 'import.meta.resolve': 'resolveHere' },
    banner: {
      js: `(function (require, file) { 'use strict';
const { pathToFileURL: urlOf } = require('node:url'), hereUrl = urlOf(file).href, resolveHere = (name) => urlOf(require.resolve(name)).href;`,
    },
    footer: { js: '})' },
  })

const starters = () =>
  build({
    ...SHARED,
    sourcemap: false,
    entryPoints: Object.entries(STARTERS).map(([out, module]) => ({
      in: inRoot(`dist/src/${module}.cjs`),
      out,
    })),
    outdir: inRoot('dist/lib'),
    outExtension: { '.js': '.cjs' },
    // One copy of it in a thread.
    external: ['./lcore.cjs', './lcore-main.cjs'],
    format: 'cjs',
  })

/**
 * Runs a switch until it polls, and has V8 write down what it compiled for that. Where there is no addon yet, or no DPDK, that
 * is less, and the rest is compiled by those who run it.
 */
async function compileScripts() {
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-vhost-bundle-'))
  const config = join(folder, 'switch.json')
  const port = (name) => ({ name, type: 'dpdkvhostuserclient', path: join(folder, name) })
  writeFileSync(
    config,
    JSON.stringify({
      datapath: { memory: 'memfd', memoryMiB: 64 },
      admin: { socket: join(folder, 'admin.sock') },
      bridges: [{ name: 'br0' }],
      ports: [port('a'), port('b')],
    }),
  )
  const args = [
    '--require',
    inRoot('scripts/lib/code-cache.cjs'),
    inRoot(EXECUTABLE),
    'run',
    config,
  ]
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 30_000,
    env: { ...process.env, NODE_OPTIONS: '', RUNTIME_DIRECTORY: folder },
  })
  // With the first line of its log it says that it runs.
  child.stderr.on('data', () => child.kill('SIGTERM'))
  try {
    await once(child, 'close')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export async function bundle() {
  const lcore = await lcoreScript(SHARED)
  const made = await Promise.all([modules(lcore.plugin), command(), starters()])
  const outputFiles = [...lcore.outputFiles, ...made.flatMap((one) => one.outputFiles)]
  rmSync(inRoot('dist/lib'), { recursive: true, force: true })
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true })
    const script = /\.c?js$/.test(path)
    writeFileSync(path, script ? lcore.linked(path, inAscii(asWritten(text))) : text)
  }
  chmodSync(inRoot(EXECUTABLE), 0o755)
  await compileScripts()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle()
