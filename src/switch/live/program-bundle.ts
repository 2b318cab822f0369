import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { access, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError, type Problem } from 'dpdk-vhost'
import type { BuildFailure, Message, Plugin } from 'esbuild'
import { newProgramFolder, removeAbandonedFolders } from './program-folder.js'

/** A user's program as lcores load it. */
export interface ProgramBundle {
  /** Another one whenever the file, or anything it imports, has changed. */
  readonly url: string
  /** Absolute path of the file it was made from. */
  readonly file: string
}

/** Makes modules out of users' files, in a private folder. */
export class ProgramBundler implements Disposable {
  #folder: string | undefined

  constructor() {
    removeAbandonedFolders()
  }

  /**
   * Bundles a TypeScript or JavaScript file with the packages it imports.
   *
   * @param file - absolute path
   * @throws ConfigError with file, line and column of every problem
   */
  async bundle(file: string): Promise<ProgramBundle> {
    // Only switches with programs of users start its process.
    const { build, stop } = await import('esbuild')
    this.#folder ??= newProgramFolder()
    const here = pathToFileURL(file).href
    try {
      const { outputFiles } = await build({
        entryPoints: [file],
        // Places are named from there.
        absWorkingDir: dirname(file),
        bundle: true,
        write: false,
        outdir: this.#folder,
        platform: 'node',
        format: 'esm',
        target: 'node20',
        sourcemap: 'inline',
        sourcesContent: false,
        logLevel: 'silent',
        // The bundle lies elsewhere; what the program reads beside itself does not.
        define: { 'import.meta.url': JSON.stringify(here) },
        // Packages in CommonJS ask for Node's modules by `require`.
        banner: {
          js: `import { createRequire as createRequireHere } from 'node:module'; const require = createRequireHere(${JSON.stringify(here)});`,
        },
        plugins: [ownPackage],
      })
      return { file, url: await this.#write(this.#folder, outputFiles[0]?.text ?? '') }
    } catch (error) {
      if (!isBuildFailure(error)) throw error
      throw new ConfigError(
        `program ${file}`,
        error.errors.map((message) => problemOf(message)),
      )
    } finally {
      await stop()
    }
  }

  async #write(folder: string, text: string): Promise<string> {
    const name = createHash('sha256').update(text).digest('hex').slice(0, 16)
    const entry = join(folder, `${name}.mjs`)
    const known = await access(entry).then(
      () => true,
      () => false,
    )
    if (!known) {
      await writeFile(join(folder, `${name}.program.mjs`), text, { mode: 0o600 })
      // A thread looks at source maps of those modules only that it loads after this.
      const loader = [
        'process.setSourceMapsEnabled(true)',
        `const { default: program } = await import('./${name}.program.mjs')`,
        'export default program',
      ]
      await writeFile(entry, `${loader.join('\n')}\n`, { mode: 0o600 })
    }
    return pathToFileURL(entry).href
  }

  [Symbol.dispose](): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true })
    this.#folder = undefined
  }
}

/** Programs get this package's own modules: the `Burst` they import is the one that they are handed. */
const ownPackage: Plugin = {
  name: 'dpdk-vhost',
  setup(build) {
    build.onResolve({ filter: /^dpdk-vhost(\/|$)/ }, ({ path }) => {
      try {
        return { path: import.meta.resolve(path), external: true }
      } catch {
        return { errors: [{ text: `${path} is no module of this package` }] }
      }
    })
  },
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors)
}

function problemOf({ location, text }: Message): Problem {
  const path = location === null ? '' : `${location.file}:${location.line}:${location.column + 1}:`
  const fix = text.startsWith('Could not resolve')
    ? 'correct the name, or install the package where the program is'
    : 'correct it and load the program again'
  return { path, value: undefined, message: text.charAt(0).toLowerCase() + text.slice(1), fix }
}
