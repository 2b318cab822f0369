// What an lcore's thread runs, for scripts/bundle.mjs: one script, dist/lib/lcore-main.cjs, since V8 keeps compiled code of
// scripts and not of modules; and dist/lib/lcore.js, by which the modules of the bundle have what they share with it.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { build } from 'esbuild'
import { inRoot } from './project.mjs'

/** Modules of dist/src that Workers begin with. */
const WORKER = 'lcore/worker'

/** Programs that are a part of the script: the name that a Worker is told, relative to dist/lib or as users write it. */
const PROGRAMS = {
  './switch-program.js': 'switch/lcore/program',
  'dpdk-vhost/programs/cross-connect': 'programs/cross-connect',
}

const SCRIPT = 'dist/lib/lcore-main.cjs'
const MODULE = 'dist/lib/lcore.js'

/** How modules of the bundle import it until it is known where they lie. */
const NAME = 'dpdk-vhost-lcore'

const moduleFile = (module) => inRoot(`dist/src/${module}.js`)

/** Modules that are imported when they are needed stay modules. */
const LATER = {
  'dpdk-vhost/programs/flow-table/program': './programs/flow-table/program.js',
}

const importedLater = {
  name: 'imported-later',
  setup({ onResolve }) {
    onResolve({ filter: /./ }, ({ kind, path }) => {
      if (kind !== 'dynamic-import') return undefined
      if (LATER[path] === undefined) throw new Error(`lcore-script.mjs: where is ${path}?`)
      return { path: LATER[path], external: true }
    })
  },
}

/** What modules export, by file. */
async function exportsOf(files) {
  const { metafile } = await build({
    entryPoints: files,
    bundle: false,
    format: 'esm',
    write: false,
    metafile: true,
    outdir: inRoot('dist/lib'),
    outbase: inRoot('dist/src'),
    logLevel: 'warning',
    absWorkingDir: inRoot('.'),
  })
  return new Map(
    Object.values(metafile.outputs).map(({ entryPoint, exports }) => [inRoot(entryPoint), exports]),
  )
}

/** What a module exports that it has from others. */
function passedOn(file) {
  const lists = readFileSync(file, 'utf8').matchAll(/^export \{([^}]*)\} from/gm)
  return Array.from(lists, ([, list]) => list.split(/[\s,]+/)).flat()
}

/** Whether a module only passes on what others export. */
function isList(file) {
  const text = readFileSync(file, 'utf8')
  return (
    /^export .* from/m.test(text) &&
    !/^(?:import|class|function|const|let)\b|^export (?![*{])/m.test(text)
  )
}

/** Modules that others pass on as a whole: for esbuild the same name of lcore.js in two modules is two things. */
function listed() {
  const files = readdirSync(inRoot('dist/src'), { recursive: true, encoding: 'utf8' })
  return files
    .filter((file) => file.endsWith('.js'))
    .map((file) => inRoot(`dist/src/${file}`))
    .flatMap((file) =>
      Array.from(readFileSync(file, 'utf8').matchAll(/^export \* from '(\..*)'/gm), ([, other]) =>
        join(dirname(file), other),
      ),
    )
}

/** @param shared - options of esbuild that all of the bundle have in common */
export async function lcoreScript(shared) {
  const common = { ...shared, absWorkingDir: inRoot('.'), metafile: true, plugins: [importedLater] }
  const stdin = (lines) => ({
    contents: lines.join('\n'),
    resolveDir: inRoot('.'),
    sourcefile: 'lcore-main',
  })
  const { metafile } = await build({
    ...common,
    stdin: stdin(
      [WORKER, ...Object.values(PROGRAMS)].map((at) => `export * from '${moduleFile(at)}'`),
    ),
    format: 'esm',
  })
  const files = Object.keys(metafile.inputs)
    .filter((file) => file.startsWith('dist/'))
    .map((file) => inRoot(file))
    .filter((file) => !isList(file))
  const starred = new Set(listed())
  const exported = await exportsOf(files)
  // What several modules call by one name is exported by the script with the module's number.
  const owners = new Map()
  for (const file of files)
    for (const name of exported.get(file))
      if (!passedOn(file).includes(name)) owners.set(name, [...(owners.get(name) ?? []), file])
  owners.delete('default')
  const isShared = (name) => owners.get(name)?.length > 1
  const names = [...owners.keys()].filter((name) => !isShared(name))
  const numbered = files.filter((file) => exported.get(file).some(isShared))
  const numbers = numbered.map((_, i) => `module${i}`)
  const made = await build({
    ...common,
    stdin: stdin([
      'export const programs = {}',
      ...files.map((file) => `export * from '${file}'`),
      ...numbered.map((file, i) => `export * as ${numbers[i]} from '${file}'`),
      ...Object.entries(PROGRAMS).map(
        ([name, module], i) =>
          `import program${i} from '${moduleFile(module)}'; programs['${name}'] = program${i}`,
      ),
    ]),
    outfile: inRoot(SCRIPT),
    format: 'cjs',
    define: { 'import.meta.url': 'hereUrl' },
    banner: {
      js: `((run) => {
  try { module.exports = run } catch { /* It is run as a script. */ }
  return run
})(function (require, file, importModule) { 'use strict';
const module = { exports: {} }, hereUrl = require('node:url').pathToFileURL(file).href;`,
    },
    footer: { js: 'return module.exports })' },
  })
  const outputFiles = made.outputFiles.map(({ path, text }) => ({
    path,
    // Scripts have no `import()`.
    text: path.endsWith('.cjs') ? text.replaceAll(/\bimport\(/g, 'importModule(') : text,
  }))

  const defaultOf = (file) => {
    const found = Object.entries(PROGRAMS).find(([, module]) => moduleFile(module) === file)
    if (found === undefined) throw new Error(`${file}: its default export is not a program`)
    return `import { programs } from '${NAME}'; export default programs['${found[0]}']`
  }
  /** A module of the script, for modules: what it exports, from lcore.js. */
  const again = (file) => {
    const all = exported.get(file)
    const named = all.filter((name) => name !== 'default').join(', ')
    const number = numbers[numbered.indexOf(file)]
    return [
      number === undefined
        ? `export { ${named} } from '${NAME}'`
        : `import { ${number} } from '${NAME}'; export const { ${named} } = ${number}`,
      ...(all.includes('default') ? [defaultOf(file)] : []),
    ].join('\n')
  }
  const plugin = {
    name: 'of-lcore',
    setup({ onLoad, onResolve, resolve }) {
      onResolve({ filter: new RegExp(`^${NAME}$`) }, () => ({ path: NAME, external: true }))
      // Straight from it, or each would be a file of its own to load.
      onResolve({ filter: /./ }, async ({ path, pluginData, ...from }) => {
        if (from.kind !== 'import-statement' || pluginData === NAME) return undefined
        const found = await resolve(path, { ...from, pluginData: NAME })
        const isStraight =
          exported.has(found.path) && !numbered.includes(found.path) && !starred.has(found.path)
        return isStraight ? { path: NAME, external: true } : undefined
      })
      onLoad({ filter: /\/dist\/src\/.*\.js$/ }, ({ path }) =>
        exported.has(path) ? { contents: again(path), loader: 'js' } : undefined,
      )
    },
  }
  const module = {
    path: inRoot(MODULE),
    text: `import lcore from './lcore.cjs'
export const { ${['programs', ...names, ...numbers].join(', ')} } = lcore
`,
  }
  const linked = (path, text) => {
    const to = relative(dirname(path), inRoot(MODULE))
    return text.replaceAll(`"${NAME}"`, `"${to.startsWith('.') ? to : `./${to}`}"`)
  }
  return { plugin, outputFiles: [...outputFiles, module], linked }
}
