/**
 * Takes a program of this machine into the guest, with the shared libraries it needs.
 *
 * @packageDocumentation
 */
import { execFile } from 'node:child_process'
import { access, readFile } from 'node:fs/promises'
import { basename, delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { VirtualMachineError } from './errors.js'
import { HOW_TO_INSTALL } from './kernel-image.js'

/** A file for the guest. */
export interface ProgramFile {
  /** Path in the guest without a leading slash. */
  readonly path: string
  readonly contents: Buffer
}

/** Administrators' programs are often on root's PATH only. */
const MORE_FOLDERS = ['/usr/sbin', '/sbin']

/** The program and its libraries. Throws `ERR_VM_MISSING`. */
export async function hostProgram(name: string): Promise<ProgramFile[]> {
  const path = await find(name)
  const libraries = await sharedLibraries(path)
  return Promise.all([
    read(path, `bin/${name}`),
    // The dynamic linker is found by the path the program names, all else in the first place it looks.
    ...libraries.map((library) =>
      read(library, library.startsWith('/lib64/') ? library.slice(1) : `lib/${basename(library)}`),
    ),
  ])
}

async function find(name: string): Promise<string> {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...MORE_FOLDERS]
  for (const folder of folders) {
    const path = join(folder, name)
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path
  }
  throw new VirtualMachineError('ERR_VM_MISSING', `${name} is not installed; ${HOW_TO_INSTALL}`)
}

/** Paths as the dynamic linker finds them here, its own included. */
async function sharedLibraries(path: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ldd', [path], { timeout: 10_000 })
  // "name => /path (address)", or for the linker itself "/path (address)".
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, library]) => library as string)
}

async function read(from: string, path: string): Promise<ProgramFile> {
  return { path, contents: await readFile(from) }
}
