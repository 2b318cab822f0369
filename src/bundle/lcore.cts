/**
 * What an lcore's thread runs, as one script: one copy of it in each thread, for modules of the bundle and for CommonJS alike
 * (docs/decisions/0026-lcore-script.md).
 */
import compiled = require('./compiled.cjs')

type Lcore = typeof import('../lcore/worker.js', { with: { 'resolution-mode': 'import' }}) & {
  /** Programs that are a part of it, by the names that Workers are told. */
  readonly programs: Readonly<Record<string, unknown>>
}
type Run = (
  builtin: (name: string) => object,
  file: string,
  importModule: (url: string) => Promise<unknown>,
) => Lcore

// No `require` of Node.js: bundlers put this into modules, which have none.
const path = process.getBuiltinModule('node:path')

// Who bundles this package with a program has the script in that bundle, and perhaps no name of the file.
const folder = typeof __dirname === 'string' ? __dirname : process.cwd()
const file = path.join(folder, 'lcore-main.cjs')

function run(): Run {
  try {
    return compiled(file) as Run
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return require('./lcore-main.cjs') as Run
  }
}

const builtin = (name: string) => {
  const found = process.getBuiltinModule(name)
  if (found === undefined) throw new Error(`Node.js has no module ${name}`)
  return found
}

// V8 has no `import()` for scripts.
export = run()(builtin, file, (url) => import(url))
