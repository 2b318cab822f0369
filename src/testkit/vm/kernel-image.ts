/**
 * Finds the guest kernel and its modules in the cache folder, where `npm run setup -- --vm` unpacks them.
 *
 * @packageDocumentation
 */
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, extname, join } from 'node:path'
import { promisify } from 'node:util'
import { VirtualMachineError } from './errors.js'

/** Ends every message about something that is not installed. */
export const HOW_TO_INSTALL = 'run `npm run setup -- --vm`'

/** A module of the guest kernel. */
export interface KernelModule {
  readonly name: string
  readonly contents: Buffer
}

/** Folder of everything this package keeps between runs. */
export function cacheFolder(): string {
  // The specification asks to ignore a relative XDG_CACHE_HOME.
  const base = process.env.XDG_CACHE_HOME
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'dpdk-vhost')
}

/** An unpacked kernel package: image and modules of one version. */
export class KernelImage {
  readonly version: string
  /** Path of the bootable image. */
  readonly path: string
  readonly #modulePaths: ReadonlyMap<string, string>
  readonly #builtIn: ReadonlySet<string>

  private constructor(
    version: string,
    path: string,
    modulePaths: ReadonlyMap<string, string>,
    builtIn: Set<string>,
  ) {
    this.version = version
    this.path = path
    this.#modulePaths = modulePaths
    this.#builtIn = builtIn
  }

  /** The newest kernel in the cache folder. Throws `ERR_VM_MISSING`. */
  static async find(root = join(cacheFolder(), 'kernel')): Promise<KernelImage> {
    const images = await readdir(join(root, 'boot')).catch(() => [])
    const versions = images
      .filter((name) => name.startsWith('vmlinuz-'))
      .map((name) => name.slice('vmlinuz-'.length))
      .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    for (const version of versions) {
      // Newer Debian releases ship /lib as /usr/lib.
      for (const lib of ['lib/modules', 'usr/lib/modules']) {
        const folder = join(root, lib, version)
        const files = await readdir(folder, { recursive: true }).catch(() => [])
        const modules = files.filter((name) => /\.ko(\.[a-z0-9]+)?$/.test(name))
        if (modules.length === 0) continue
        const paths = new Map(modules.map((name) => [moduleName(name), join(folder, name)]))
        const builtIn = await readFile(join(folder, 'modules.builtin'), 'utf8').catch(() => '')
        const builtInNames = new Set(builtIn.split('\n').filter(Boolean).map(moduleName))
        return new KernelImage(
          version,
          join(root, 'boot', `vmlinuz-${version}`),
          paths,
          builtInNames,
        )
      }
    }
    throw new VirtualMachineError(
      'ERR_VM_MISSING',
      `no guest kernel with modules under ${root}; ${HOW_TO_INSTALL}`,
    )
  }

  /** These modules and all they depend on, in an order they can be loaded in; built-in ones are left out. */
  async modules(names: readonly string[]): Promise<KernelModule[]> {
    // A Map iterates in insertion order, and a module goes in after what it needs.
    const loaded = new Map<string, KernelModule>()
    const visit = async (name: string): Promise<void> => {
      if (loaded.has(name) || this.#builtIn.has(name)) return
      const path = this.#modulePaths.get(name)
      if (path === undefined) {
        throw new VirtualMachineError(
          'ERR_VM_MISSING',
          `kernel ${this.version} has no module ${name}; ${HOW_TO_INSTALL}`,
        )
      }
      const contents = await readModule(path)
      for (const dependency of dependencies(contents)) await visit(dependency)
      loaded.set(name, { name, contents })
    }
    for (const name of names) await visit(name)
    return [...loaded.values()]
  }
}

/** The name `modprobe` would use: file names may have dashes where module names have underscores. */
function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko(\.[a-z0-9]+)?$/, '')
    .replaceAll('-', '_')
}

/** What unpacks a module, by the end of its name: releases from Debian 13 and Ubuntu 24.04 on compress them. */
const UNPACKERS = new Map([
  ['.gz', 'gzip'],
  ['.xz', 'xz'],
  ['.zst', 'zstd'],
])
const MOST_MODULE_BYTES = 64 * 2 ** 20

async function readModule(path: string): Promise<Buffer> {
  const program = UNPACKERS.get(extname(path))
  if (program === undefined) return readFile(path)
  const options = { encoding: 'buffer', maxBuffer: MOST_MODULE_BYTES, timeout: 10_000 } as const
  try {
    return (await promisify(execFile)(program, ['-dc', path], options)).stdout
  } catch (error) {
    const { message } = error as Error
    throw new VirtualMachineError(
      'ERR_VM_MISSING',
      `${program} does not unpack ${path}: ${message}`,
    )
  }
}

/** What a module says it needs. It is stored in the module as the zero-terminated text `depends=a,b`. */
function dependencies(contents: Buffer): string[] {
  const key = '\0depends='
  const start = contents.indexOf(key)
  if (start < 0) return []
  const text = contents.toString(
    'latin1',
    start + key.length,
    contents.indexOf(0, start + key.length),
  )
  return text.split(',').filter(Boolean).map(moduleName)
}
